//! The commands that the README quotes work, one after the other, as they stand there.

use std::path::Path;
use std::process::Command;

use crate::runner::Repo;

#[test]
fn the_commands_of_the_readme_work() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let block = readme.split("```console\n").nth(1).unwrap().split("```").next().unwrap();
    let commands: Vec<&str> = block.lines().map(|line| line.strip_prefix("$ ").unwrap()).collect();
    assert!(commands.len() > 10, "{commands:?}");
    let repo = Repo::absent();
    std::os::unix::fs::symlink(root.join("examples"), repo.folder().join("examples")).unwrap();
    let ran = shell(repo.folder(), &commands.join(" &&\n"));
    assert!(ran.status.success(), "{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert!(printed.contains("United Air Lines") && printed.ends_with("everything is whole\n"), "{printed}");
    let late = "SELECT count(*) FROM flights WHERE dep_delay > 0";
    let counted = shell(repo.folder(), &format!("armillaria -C nyc sql '{late}' --format csv"));
    assert_eq!(String::from_utf8_lossy(&counted.stdout), "count_star()\n128432\n", "revert brought them back to main");
}

fn shell(folder: &Path, script: &str) -> std::process::Output {
    let binaries = Path::new(env!("CARGO_BIN_EXE_armillaria")).parent().unwrap();
    let path = std::env::join_paths([binaries].into_iter().chain([Path::new("/usr/bin"), Path::new("/bin")])).unwrap();
    Command::new("sh").arg("-c").arg(script).current_dir(folder).env("PATH", path).output().unwrap()
}
