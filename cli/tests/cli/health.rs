use std::fs;
use std::path::{Path, PathBuf};

use armillaria::{At, Database, OpenOptions};
use serde_json::json;

use crate::runner::Repo;

/// A repository whose one table is large enough to have a chunk.
fn with_a_chunk() -> (Repo, PathBuf) {
    let repo = Repo::new();
    let numbers: String = (0..40_000).map(|n| format!("{n},{}\n", n * 7919 % 40_009)).collect();
    let path = repo.file("numbers.csv", &format!("n,m\n{numbers}"));
    repo.ok(&["import", "numbers", &path]);
    let chunk = first_file(&repo.root().join("chunks")).unwrap();
    (repo, chunk)
}

fn first_file(folder: &Path) -> Option<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.into_iter().find_map(|path| if path.is_dir() { first_file(&path) } else { Some(path) })
}

fn flip_a_bit(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let mut permissions = fs::metadata(path).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    fs::set_permissions(path, permissions).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_whole_repository_passes() {
    let (repo, _) = with_a_chunk();
    let report = repo.json(&["verify", "--deep"]);
    assert_eq!((&report["ok"], &report["problems"], &report["transactions"]), (&json!(true), &json!([]), &json!(1)));
    assert!(repo.ok(&["verify"]).ends_with("everything is whole\n"));
}

#[test]
fn a_flipped_bit_is_found_and_named() {
    let (repo, chunk) = with_a_chunk();
    flip_a_bit(&chunk);
    let hash = chunk.file_stem().unwrap().to_str().unwrap();
    let ran = repo.run(&["verify", "--deep", "--json"]);
    assert_eq!((ran.status, ran.err.as_str()), (1, ""));
    let problem = &serde_json::from_str::<serde_json::Value>(&ran.out).unwrap()["problems"][0];
    assert_eq!((&problem["code"], &problem["affects"]), (&json!("HASH_MISMATCH"), &json!([["numbers", 1]])));
    assert!(problem["object"].as_str().unwrap().contains(hash));
    let people = repo.run(&["verify", "--deep"]);
    assert!(people.out.contains("touches numbers version 1") && people.out.ends_with("1 problem\n"), "{}", people.out);
}

#[test]
fn a_missing_chunk_is_found_without_reading() {
    let (repo, chunk) = with_a_chunk();
    fs::remove_file(chunk).unwrap();
    let ran = repo.run(&["verify"]);
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("CHUNK_NOT_FOUND"), "{}", ran.out);
}

#[test]
fn a_damaged_checkpoint_and_a_damaged_index_file_are_named_and_can_be_deleted() {
    let repo = Repo::new();
    let database = Database::open(repo.root(), OpenOptions::default()).unwrap();
    (0..300).for_each(|n| drop(database.create_tag(&format!("t{n}"), &At::head()).unwrap()));
    drop(database);
    for (folder, kind) in [("snapshots", "checkpoint"), ("index", "index file")] {
        let file = first_file(&repo.root().join(folder)).unwrap();
        flip_a_bit(&file);
        let ran = repo.run(&["verify", "--json"]);
        assert_eq!(ran.status, 1, "{}", ran.err);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let object = format!("{kind} {folder}/{}", file.file_name().unwrap().to_str().unwrap());
        let [problem] = report["problems"].as_array().unwrap().as_slice() else { panic!("{report}") };
        assert_eq!((&problem["object"], &problem["code"]), (&json!(object), &json!("HASH_MISMATCH")));
        let people = repo.run(&["verify"]);
        assert!(people.out.contains(&format!("HASH_MISMATCH {object}: nothing is lost: ")), "{}", people.out);
        fs::remove_file(file).unwrap();
        assert!(repo.ok(&["verify"]).ends_with("everything is whole\n"));
    }
}

#[test]
fn stats_count() {
    let repo = Repo::with_users();
    repo.ok(&["branch", "fix"]);
    let stats = repo.json(&["stats"]);
    let counted = ["tables", "versions", "transactions", "branches", "tags"].map(|name| stats[name].as_u64().unwrap());
    assert_eq!(counted, [1, 2, 3, 2, 0]);
    assert!(stats["bytes_stored"].as_u64().unwrap() > 0 && stats["dedup_ratio"].is_number());
    assert!(repo.ok(&["stats"]).contains("table versions"));
}

#[test]
fn objects_are_inspected() {
    let (repo, chunk) = with_a_chunk();
    let transaction = repo.json(&["inspect", "tx:1"]);
    assert_eq!((&transaction["tx_id"], &transaction["tables"][0]["table"]), (&json!(1), &json!("numbers")));
    assert_eq!(repo.json(&["inspect", "numbers@1"])["rows"], 40_000);
    assert!(repo.json(&["inspect", "repo"]).is_object());
    let hash = chunk.file_stem().unwrap().to_str().unwrap();
    assert_eq!(repo.json(&["inspect", &format!("chunk:{hash}")])["chunk"], hash);
    repo.fails("INVALID_ARGUMENT", &["inspect", "nonsense"]);
    repo.fails("TRANSACTION_NOT_FOUND", &["inspect", "tx:99"]);
    repo.fails("CHUNK_NOT_FOUND", &["inspect", &format!("chunk:{}", "0".repeat(64))]);
}

#[test]
fn verbose_shows_what_the_library_does() {
    let repo = Repo::with_users();
    let path = repo.file("x.csv", "x\n1\n");
    let ran = repo.run(&["-v", "import", "x", &path]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.err.contains("commit") && ran.err.contains("time.busy"), "{}", ran.err);
    let ran = repo.run(&["-v", "sql", "SELECT count(*) FROM x"]);
    assert!(ran.err.contains("query"), "{}", ran.err);
}
