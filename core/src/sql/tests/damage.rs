//! Chunks that are missing or damaged name themselves.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn chunk_path(world: &World, data: &TableData) -> std::path::PathBuf {
    let path = world.store.chunks().local_path(data.manifest.chunks[0].chunk).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    path
}

#[test]
fn a_missing_chunk_is_named() {
    let mut world = World::new();
    let data = world.write("t", &[users(0, 1000)]);
    fs::remove_file(chunk_path(&world, &data)).unwrap();
    let error = world.error("SELECT sum(id) FROM t");
    assert_eq!(error.code(), Code::ChunkNotFound, "{error}");
    assert!(error.to_string().contains(&data.manifest.chunks[0].chunk.to_hex()), "{error}");
}

#[test]
fn damage_anywhere_in_a_chunk_is_named() {
    let mut world = World::new();
    let data = world.write("t", &[users(0, 100_000)]);
    let path = chunk_path(&world, &data);
    let good = fs::read(&path).unwrap();
    let hash = data.manifest.chunks[0].chunk.to_hex();
    for part in 0..20 {
        let mut bad = good.clone();
        let at = part * (good.len() - 1) / 19;
        bad[at..good.len().min(at + 64)].fill(0xA5);
        fs::write(&path, &bad).unwrap();
        let fresh = SqlEngine::new(
            SqlOptions { chunk_roots: vec![world.directory.path().to_owned()], ..SqlOptions::default() },
            world.store.clone(),
        );
        let read = fresh.query("SELECT id, name, age FROM t", &[], &world, &CancelToken::new()).and_then(collect);
        let error = read.expect_err("damage was read as rows");
        assert_eq!(error.code(), Code::HashMismatch, "byte {at}: {error}");
        assert!(error.to_string().contains(&hash), "{error}");
    }
}

#[test]
fn a_chunk_cut_short_is_named() {
    let mut world = World::new();
    let data = world.write("t", &[users(0, 1000)]);
    let path = chunk_path(&world, &data);
    let good = fs::read(&path).unwrap();
    for length in [0, 3, 11, good.len() / 2, good.len() - 1] {
        fs::write(&path, &good[..length]).unwrap();
        assert_eq!(world.code("SELECT sum(id) FROM t"), Code::HashMismatch, "{length}");
    }
}
