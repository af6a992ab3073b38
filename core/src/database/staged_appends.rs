//! Appends that one transaction makes one after another.

use super::tests::{ids, memory, read, rows};
use super::*;
use crate::cancel::CancelToken;
use crate::error::Code;

#[test]
fn appends_of_one_transaction_stand_in_their_order_whatever_fails_between() {
    for committed in [false, true] {
        let db = memory();
        if committed {
            db.write_table("t", rows(-5..0), &WriteOptions::default()).unwrap();
        }
        let transaction = db.begin(&BeginOptions::default()).unwrap();
        if !committed {
            transaction.write_table("t", rows(-5..0), WriteMode::Overwrite).unwrap();
        }
        let (mut next, mut streams) = (0, Vec::new());
        for append in 0..60 {
            let count = if append % 20 == 7 { 30_000 } else { 1 + append % 5 };
            transaction.write_table("t", rows(next..next + count), WriteMode::Append).unwrap();
            next += count;
            if append % 15 == 0 {
                streams.push((next, transaction.read_table("t", None).unwrap()));
                let cancel = CancelToken::new();
                cancel.cancel();
                let cancelled = transaction.write_table_with("t", rows(0..9), WriteMode::Append, &[], &cancel);
                assert_eq!(cancelled.unwrap_err().code(), Code::Cancelled);
            }
        }
        for (seen, stream) in streams {
            assert_eq!(ids(stream), (-5..seen).collect::<Vec<_>>(), "what was there when it was asked");
        }
        let written = transaction.commit(None).unwrap();
        assert_eq!(written.rows, (next + if committed { 0 } else { 5 }) as u64);
        assert_eq!(read(&db, "t", &At::head()), (-5..next).collect::<Vec<_>>());
    }
}
