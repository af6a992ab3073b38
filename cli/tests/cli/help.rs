use crate::runner::Repo;

const COMMANDS: [&str; 22] = [
    "init",
    "import",
    "export",
    "sql",
    "tables",
    "schema",
    "history",
    "log",
    "diff",
    "branch",
    "checkout",
    "tag",
    "merge",
    "revert",
    "drop",
    "compact",
    "changes",
    "watch",
    "verify",
    "stats",
    "inspect",
    "completions",
];

#[test]
fn every_command_explains_itself_with_examples() {
    let repo = Repo::absent();
    let all = repo.ok(&["--help"]);
    for command in COMMANDS {
        assert!(all.contains(&format!("\n  {command} ")), "{command} is not in:\n{all}");
        let help = repo.ok(&[command, "--help"]);
        assert!(help.contains("Examples:\n  ") && help.contains("armillaria"), "{command} has no examples:\n{help}");
    }
}

#[test]
fn completions_are_there_for_every_shell() {
    let repo = Repo::absent();
    for (shell, sign) in [("bash", "complete -F"), ("zsh", "#compdef armillaria"), ("fish", "complete -c armillaria")] {
        let script = repo.ok(&["completions", shell]);
        assert!(script.contains(sign) && script.contains("checkout"), "{shell}");
    }
}

#[test]
fn the_version_is_told() {
    assert_eq!(Repo::absent().ok(&["--version"]), format!("armillaria {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_senseless_command_line_ends_with_2() {
    let repo = Repo::with_users();
    let senseless: &[&[&str]] = &[
        &[],
        &["frobnicate"],
        &["import", "users"],
        &["import", "users", "users.csv", "--mode", "upend"],
        &["import", "users", "users.csv", "--type", "id=number"],
        &["import", "users", "users.csv", "--delimiter", "abc"],
        &["tables", "--tag", "a", "--tx", "1"],
        &["tables", "--time", "yesterday"],
        &["sql", "SELECT 1", "--at-version", "users"],
        &["sql", "SELECT 1", "--format", "xml"],
        &["sql", "SELECT 1", "--output", "rows.unknown"],
        &["sql", "-p", "1"],
        &["diff", "main"],
        &["diff", "users", "1", "two"],
        &["diff", "main", "fix", "--rows"],
        &["changes", "users", "1"],
        &["export", "users", "users.unknown"],
        &["branch", "fix", "tx:one"],
        &["branch", "fix", "--delete", "fix"],
        &["revert", "last"],
        &["completions", "edlin"],
    ];
    for arguments in senseless {
        let ran = repo.run(arguments);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains("--help") || ran.err.contains("Usage"), "{arguments:?}: {}", ran.err);
    }
}
