//! Who folds a table: where many transactions find the same small pieces, one of them is enough.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::format::TableName;

/// The tables that a transaction of this handle is folding.
#[derive(Clone, Debug, Default)]
pub struct Folding {
    tables: Arc<Mutex<HashSet<TableName>>>,
}

impl Folding {
    /// Claims a table until the claim is dropped; `None` while another has it.
    pub fn claim(&self, table: &TableName) -> Option<FoldClaim> {
        let new = self.tables().insert(table.clone());
        new.then(|| FoldClaim { folding: self.clone(), table: table.clone() })
    }

    fn tables(&self) -> MutexGuard<'_, HashSet<TableName>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps others from folding the same table.
#[derive(Debug)]
pub struct FoldClaim {
    folding: Folding,
    table: TableName,
}

impl Drop for FoldClaim {
    fn drop(&mut self) {
        self.folding.tables().remove(&self.table);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_claimed_once_at_a_time() {
        let (folding, users, orders) =
            (Folding::default(), TableName::new("users").unwrap(), TableName::new("orders").unwrap());
        let first = folding.claim(&users).unwrap();
        assert!(folding.clone().claim(&users).is_none());
        assert!(folding.claim(&orders).is_some());
        drop(first);
        assert!(folding.claim(&users).is_some());
    }
}
