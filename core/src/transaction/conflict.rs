//! Which changes of one table may pass each other. Pure.
//!
//! First committer wins, under snapshot isolation (Berenson et al. 1995). `docs/ARCHITECTURE.md` has the table.

use crate::format::ChangeKind;

/// What a transaction does to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mine {
    /// Adds rows without having looked.
    Append,
    /// Changes or removes rows.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "decided with the rest of the table, before statements come that do it")
    )]
    Update,
    /// Replaces, creates or drops the table.
    Overwrite,
    /// Rewrites chunks without changing data.
    Fold,
}

/// Whether a transaction may still commit after others changed the same table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// Yes, on top of what they left.
    Passes,
    /// Yes, if the schema is still the one it was written for.
    PassesIfSchemaFits,
    /// No, and nothing is lost by leaving it out.
    Abandon,
    /// No.
    Conflict,
}

/// The verdict over all that others did since the transaction began.
pub(super) fn judge(mine: Mine, theirs: impl IntoIterator<Item = ChangeKind>, serializable: bool) -> Verdict {
    theirs.into_iter().map(|kind| cell(mine, kind, serializable)).max().unwrap_or(Verdict::Passes)
}

fn cell(mine: Mine, theirs: ChangeKind, serializable: bool) -> Verdict {
    use ChangeKind as Theirs;
    match (mine, theirs) {
        (Mine::Append, Theirs::Append | Theirs::Update | Theirs::Fold) => Verdict::Passes,
        (Mine::Append, Theirs::Overwrite | Theirs::Adopt | Theirs::Restore) => Verdict::PassesIfSchemaFits,
        (Mine::Append, Theirs::Create | Theirs::Drop) => Verdict::Conflict,
        (Mine::Update, Theirs::Append) if !serializable => Verdict::Passes,
        (Mine::Update | Mine::Overwrite, _) => Verdict::Conflict,
        (Mine::Fold, Theirs::Append) => Verdict::Passes,
        (Mine::Fold, _) => Verdict::Abandon,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ChangeKind as Theirs;

    #[test]
    fn every_cell_of_the_table() {
        use Verdict::{Abandon, Conflict, Passes, PassesIfSchemaFits};
        let theirs = [Theirs::Append, Theirs::Update, Theirs::Overwrite, Theirs::Fold];
        let table = [
            (Mine::Append, [Passes, Passes, PassesIfSchemaFits, Passes]),
            (Mine::Update, [Passes, Conflict, Conflict, Conflict]),
            (Mine::Overwrite, [Conflict; 4]),
            (Mine::Fold, [Passes, Abandon, Abandon, Abandon]),
        ];
        for (mine, row) in table {
            let judged = theirs.map(|kind| judge(mine, [kind], false));
            assert_eq!(judged, row, "{mine:?}");
        }
    }

    #[test]
    fn serializable_updates_do_not_let_appends_pass() {
        assert_eq!(judge(Mine::Update, [Theirs::Append], true), Verdict::Conflict);
        assert_eq!(judge(Mine::Append, [Theirs::Append], true), Verdict::Passes);
    }

    #[test]
    fn a_table_that_came_or_went_conflicts_with_everything_but_a_fold() {
        for kind in [Theirs::Create, Theirs::Drop] {
            for mine in [Mine::Append, Mine::Update, Mine::Overwrite] {
                assert_eq!(judge(mine, [kind], false), Verdict::Conflict);
            }
            assert_eq!(judge(Mine::Fold, [kind], false), Verdict::Abandon);
        }
    }

    #[test]
    fn the_worst_of_several_decides() {
        assert_eq!(judge(Mine::Append, [], false), Verdict::Passes);
        assert_eq!(judge(Mine::Append, [Theirs::Append, Theirs::Overwrite], false), Verdict::PassesIfSchemaFits);
        assert_eq!(judge(Mine::Append, [Theirs::Overwrite, Theirs::Drop, Theirs::Append], false), Verdict::Conflict);
    }
}
