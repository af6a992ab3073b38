//! Puts what can be read only once into a temporary file.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use armillaria::{CancelToken, Error, Result};
use tempfile::NamedTempFile;

/// How soon it is noticed that nobody waits for a silent pipe any more.
const LOOK_EVERY: Duration = Duration::from_millis(20);

const PIECE_BYTES: usize = 256 << 10;

/// How many pieces may wait to be written.
const PIECES_AHEAD: usize = 4;

/// The file, and how long it is. Opening the pipe may wait, too, for whoever writes into it.
pub(super) fn spool<R: Read>(
    open: impl FnOnce() -> io::Result<R> + Send + 'static,
    name: &str,
    cancel: &CancelToken,
) -> Result<(NamedTempFile, u64)> {
    let failed = |error| Error::io("read a pipe", name, error);
    let not_kept = |error| Error::io("make a temporary file", name, error);
    let mut file = NamedTempFile::new().map_err(not_kept)?;
    let (pieces, mut bytes) = (pieces(open).map_err(failed)?, 0);
    loop {
        cancel.check("reading a pipe")?;
        match pieces.recv_timeout(LOOK_EVERY) {
            Ok(piece) => {
                let piece = piece.map_err(failed)?;
                file.write_all(&piece).map_err(not_kept)?;
                bytes += piece.len() as u64;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok((file, bytes)),
        }
    }
}

/// Reads a pipe to its end in a thread of its own: nothing wakes up a thread that waits for a silent one.
fn pieces<R: Read>(open: impl FnOnce() -> io::Result<R> + Send + 'static) -> io::Result<Receiver<io::Result<Vec<u8>>>> {
    let (sender, receiver) = sync_channel(PIECES_AHEAD);
    thread::Builder::new().name("spool".into()).spawn(move || {
        let mut pipe = match open() {
            Ok(pipe) => pipe,
            Err(error) => return drop(sender.send(Err(error))),
        };
        // Whoever does not take the pieces any more does not want to know of errors either.
        while let Some(piece) = next_piece(&mut pipe).transpose() {
            let failed = piece.is_err();
            if sender.send(piece).is_err() || failed {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// What comes next; `None` at the end.
fn next_piece(pipe: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match pipe.read(&mut piece) {
            Ok(0) => return Ok(None),
            Ok(bytes) => {
                piece.truncate(bytes);
                return Ok(Some(piece));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
