//! One behaviour for all stores.

use std::sync::Arc;

use super::*;

fn every_store(check: impl Fn(Arc<dyn Store>)) {
    let directory = tempfile::tempdir().unwrap();
    check(Arc::new(MemoryStore::new()));
    check(Arc::new(FaultyStore::new(1)));
    check(Arc::new(LocalStore::open(directory.path().join("not/there/yet"), Access::ReadWrite).unwrap()));
}

fn paths(store: &dyn Store, directory: &str) -> Vec<String> {
    store.list(directory).unwrap().into_iter().map(|file| file.path).collect()
}

#[test]
fn an_object_is_created_once_and_never_changes() {
    every_store(|store| {
        assert_eq!(store.get("a/b/c").unwrap(), None);
        assert_eq!(store.get_range("a/b/c", 0..1).unwrap(), None);
        assert_eq!(store.create("a/b/c", b"first").unwrap(), Created::New);
        assert_eq!(store.create("a/b/c", b"second").unwrap(), Created::AlreadyThere);
        store.sync(&["a/b/c"]).unwrap();
        store.sync(&["a/b/c"]).unwrap();
        assert_eq!(store.get("a/b/c").unwrap().unwrap(), &b"first"[..]);
        store.delete("a/b/c").unwrap();
        store.delete("a/b/c").unwrap();
        assert_eq!(store.get("a/b/c").unwrap(), None);
        assert_eq!(store.create("a/b/c", b"").unwrap(), Created::New);
        assert_eq!(store.get("a/b/c").unwrap().unwrap(), &b""[..]);
        assert!(store.sync(&["a/b/c", "a/x"]).is_err(), "there is nothing to make durable");
    });
}

#[test]
fn ranges_end_where_the_object_does() {
    every_store(|store| {
        store.create("o", b"0123456789").unwrap();
        let get = |range| store.get_range("o", range).unwrap().unwrap();
        assert_eq!(get(0..4), &b"0123"[..]);
        assert_eq!(get(8..40), &b"89"[..]);
        assert_eq!(get(8..u64::MAX), &b"89"[..]);
        assert_eq!(get(10..12), &b""[..]);
        assert_eq!(get(50..60), &b""[..]);
        let mut all = Vec::new();
        assert!(store.read_through("o", &mut |piece| all.extend_from_slice(piece)).unwrap());
        assert_eq!(all, b"0123456789");
        assert!(!store.read_through("p", &mut |_| panic!("there is nothing")).unwrap());
        #[expect(clippy::reversed_empty_ranges, reason = "a caller's mistake must not panic")]
        let reversed = get(4..2);
        assert_eq!(reversed, &b""[..]);
    });
}

#[test]
fn a_listing_is_sorted_and_stays_below_its_directory() {
    every_store(|store| {
        for path in ["b/2", "b/1/x", "bb/1", "a", "b.txt", "b/1/a"] {
            store.create(path, path.as_bytes()).unwrap();
        }
        assert_eq!(paths(&*store, "b"), ["b/1/a", "b/1/x", "b/2"]);
        assert_eq!(paths(&*store, "b/1"), ["b/1/a", "b/1/x"]);
        assert_eq!(store.names("b").unwrap(), ["b/1/a", "b/1/x", "b/2"]);
        assert!(store.names("nowhere").unwrap().is_empty());
        assert_eq!(store.names("").unwrap(), paths(&*store, ""));
        assert_eq!(paths(&*store, ""), ["a", "b.txt", "b/1/a", "b/1/x", "b/2", "bb/1"]);
        assert!(paths(&*store, "nowhere").is_empty());
        assert_eq!(store.list("bb").unwrap(), [Listed { path: "bb/1".to_string(), bytes: 4 }]);
    });
}

#[test]
fn paths_that_could_leave_the_store_are_refused() {
    every_store(|store| {
        for path in ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\0b", "a\\b"] {
            let outcomes = [
                store.create(path, b"x").err(),
                store.get(path).err(),
                store.delete(path).err(),
                store.open_file(path).err(),
                store.allocate(path, 1).err(),
            ];
            for outcome in outcomes {
                assert!(matches!(outcome, Some(Error::InvalidArgument { .. })), "{path:?}: {outcome:?}");
            }
        }
        assert!(paths(&*store, "").is_empty());
    });
}

#[test]
fn a_file_is_written_in_place_and_grows() {
    every_store(|store| {
        assert!(store.open_file("log/f").unwrap().is_none());
        assert_eq!(store.allocate("log/f", 1_000).unwrap(), Created::New);
        assert_eq!(store.allocate("log/f", 5_000).unwrap(), Created::AlreadyThere);
        store.sync(&["log/f"]).unwrap();
        let (file, other) = (store.open_file("log/f").unwrap().unwrap(), store.open_file("log/f").unwrap().unwrap());
        assert_eq!(file.bytes().unwrap(), 1_000);
        file.write_at(10, b"hello").unwrap();
        file.write_at(998, b"beyond").unwrap();
        file.sync().unwrap();
        assert_eq!(other.bytes().unwrap(), 1_004);
        let mut buffer = [7; 20];
        assert_eq!(other.read_at(8, &mut buffer).unwrap(), 20);
        assert_eq!(&buffer[..9], b"\0\0hello\0\0");
        assert_eq!(other.read_at(1_000, &mut buffer).unwrap(), 4);
        assert_eq!(&buffer[..4], b"yond");
        assert_eq!(other.read_at(2_000, &mut buffer).unwrap(), 0);
        assert_eq!(store.get_range("log/f", 9..13).unwrap().unwrap(), &b"\0hel"[..]);
        assert_eq!(store.list("log").unwrap()[0].bytes, 1_004);
    });
}

#[test]
fn an_object_that_is_open_stays_readable() {
    every_store(|store| {
        store.create("o", b"0123456789").unwrap();
        let object = store.open_file("o").unwrap().unwrap();
        store.delete("o").unwrap();
        let mut buffer = [0; 20];
        assert_eq!((object.bytes().unwrap(), object.read_at(7, &mut buffer).unwrap()), (10, 3));
        assert_eq!(&buffer[..3], b"789");
        assert!(store.open_file("o").unwrap().is_none());
    });
}

#[test]
fn a_lock_is_held_by_one_at_a_time() {
    every_store(|store| {
        store.allocate("lock", 8).unwrap();
        let count = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let file = store.open_file("lock").unwrap().unwrap();
                    for _ in 0..50 {
                        file.lock().unwrap();
                        let inside = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        assert_eq!(inside, 0);
                        std::thread::yield_now();
                        count.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        file.unlock().unwrap();
                    }
                });
            }
        });
        store.open_file("lock").unwrap().unwrap().lock().unwrap();
        store.open_file("lock").unwrap().unwrap().lock().unwrap();
    });
}

#[test]
fn one_of_many_creators_wins() {
    every_store(|store| {
        let new = std::thread::scope(|scope| {
            let create = |n: u8| store.create("one", &[n]).unwrap() == Created::New;
            let handles: Vec<_> = (0..8).map(|n| scope.spawn(move || create(n))).collect();
            handles.into_iter().filter(|_| true).map(|handle| handle.join().unwrap()).filter(|new| *new).count()
        });
        assert_eq!(new, 1);
    });
}

#[test]
fn a_repository_has_one_identity() {
    every_store(|store| {
        assert_eq!(repository::load(&*store).unwrap(), None);
        let made = repository::load_or_create(&*store, &Environment::seeded(1)).unwrap();
        let found = repository::load_or_create(&*store, &Environment::seeded(2)).unwrap();
        assert_eq!(made, found);
        assert_eq!(repository::load(&*store).unwrap(), Some(made));
    });
}

#[test]
fn a_local_object_is_read_only_and_leaves_nothing_staged() {
    let directory = tempfile::tempdir().unwrap();
    let store = LocalStore::open(directory.path(), Access::ReadWrite).unwrap();
    store.create("a/b", b"bytes").unwrap();
    let path = store.local_path("a/b").unwrap();
    assert!(std::fs::metadata(&path).unwrap().permissions().readonly());
    assert!(paths(&store, "tmp").is_empty());
}

#[test]
fn leftovers_are_swept_and_files_in_use_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let tmp = directory.path().join("tmp");
    let (dead, alive) = (tmp.join(format!("{:032x}.staged", 1)), tmp.join(format!("{:032x}.staged", 2)));
    let strangers = [tmp.join("notes.txt"), tmp.join(format!("{:032x}", 3)), tmp.join(format!("a/{:032x}.staged", 4))];
    std::fs::create_dir_all(tmp.join("a")).unwrap();
    for path in strangers.iter().chain([&dead, &alive]) {
        std::fs::write(path, b"half").unwrap();
    }
    let in_use = std::fs::File::open(&alive).unwrap();
    in_use.lock().unwrap();
    let store = LocalStore::open(directory.path(), Access::ReadWrite).unwrap();
    assert!(dead.exists(), "opening touches nothing");
    store.sweep().unwrap();
    assert!(!dead.exists() && alive.exists());
    assert!(strangers.iter().all(|path| path.exists()));
}

#[test]
fn what_is_replaced_is_the_old_or_the_new_and_never_gone() {
    every_store(|store| {
        store.replace("a/b", b"made").unwrap();
        assert_eq!(store.create("a/b", b"other").unwrap(), Created::AlreadyThere);
        store.replace("a/b", b"replaced").unwrap();
        store.sync(&["a/b"]).unwrap();
        assert_eq!(store.get("a/b").unwrap().unwrap(), &b"replaced"[..]);
        assert_eq!(paths(&*store, ""), ["a/b"]);
    });
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..40 {
        let store = FaultyStore::new(seed);
        store.create("a", b"old").unwrap();
        store.sync(&["a"]).unwrap();
        store.replace("a", b"new").unwrap();
        seen.insert(store.crash().get("a").unwrap().expect("one of the two"));
        store.sync(&["a"]).unwrap();
        assert_eq!(store.crash().get("a").unwrap().unwrap(), &b"new"[..]);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [&b"new"[..], b"old"]);
}

#[test]
fn a_store_opened_for_reading_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = LocalStore::open(directory.path().join("x"), Access::ReadOnly).unwrap();
    let outcomes = [
        store.create("a", b"x").err(),
        store.allocate("a", 1).err(),
        store.delete("a").err(),
        store.sync(&["a"]).err(),
    ];
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Some(Error::ReadOnly { .. }))), "{outcomes:?}");
    assert!(!directory.path().join("x").exists());
}

#[test]
fn a_crash_keeps_what_was_synced_and_whole_objects_only() {
    for seed in 0..50 {
        let store = FaultyStore::new(seed);
        store.create("kept", b"kept").unwrap();
        store.create("perhaps", b"perhaps").unwrap();
        store.allocate("file", 4_096).unwrap();
        store.sync(&["kept", "file"]).unwrap();
        let file = store.open_file("file").unwrap().unwrap();
        file.write_at(0, &[1; 2_048]).unwrap();
        file.sync().unwrap();
        file.write_at(1_024, &[2; 2_048]).unwrap();
        let after = store.crash();
        assert_eq!(after.get("kept").unwrap().unwrap(), &b"kept"[..]);
        assert!(after.get("perhaps").unwrap().is_none_or(|bytes| bytes == b"perhaps"[..]));
        let bytes = after.get("file").unwrap().unwrap();
        assert_eq!(bytes[..1_024], [1; 1_024]);
        for sector in bytes.chunks(512) {
            assert!(sector.iter().all(|byte| *byte == sector[0]), "a sector is written whole or not at all");
        }
        assert_eq!(store.crash().get("file").unwrap(), Some(bytes), "the same seed, the same loss");
    }
}

#[test]
fn faults_come_when_they_are_planned() {
    let store = FaultyStore::new(1);
    for (operation, fault) in [(0, Fault::OutOfSpace), (1, Fault::AlreadyThere), (2, Fault::Fail), (4, Fault::Stop)] {
        store.inject(operation, fault);
    }
    assert!(matches!(store.create("a", b"x"), Err(Error::OutOfSpace { .. })));
    assert_eq!(store.create("a", b"x").unwrap(), Created::AlreadyThere);
    assert_eq!(store.get("a").unwrap().unwrap(), &b"x"[..], "it was told that it lost, and had won");
    assert!(matches!(store.sync(&["a"]), Err(Error::Io { .. })));
    assert!(matches!(store.sync(&["a"]), Err(Error::OutcomeUnknown { .. })), "a failed sync is not forgotten");
    assert!(store.create("b", b"x").is_err());
    assert!(store.is_stopped() && store.get("a").is_err() && store.list("").is_err());
    assert_eq!(store.operations(), 5);
    assert_eq!(store.trace()[4], "4 create b 1 Stop");
    assert_eq!(store.kill().get("a").unwrap().unwrap(), &b"x"[..]);
    assert_eq!(store.kill().get("b").unwrap(), None);
}
