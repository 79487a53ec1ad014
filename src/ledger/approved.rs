//! Which templates' commands this user has approved: one empty file for each template's hash.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::checklist::Hash;

use super::disk::{RealDisk, make_dirs};

/// The approvals of one user.
#[derive(Clone, Debug)]
pub struct Approved(PathBuf);

impl Approved {
    /// Kept in a directory of the user's own; made when something is approved first.
    pub fn new(dir: PathBuf) -> Self {
        Self(dir)
    }

    /// Whether the template was approved.
    pub fn has(&self, template: &Hash) -> bool {
        self.0.join(name(template)).is_file()
    }

    /// Approves it.
    ///
    /// # Errors
    /// The system's.
    pub fn add(&self, template: &Hash) -> io::Result<()> {
        make_dirs(&RealDisk, &self.0)?;
        fs::write(self.0.join(name(template)), "")
    }
}

/// A colon is no character for a file name everywhere.
fn name(template: &Hash) -> String {
    template.0.replace(':', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_approved_is_approved_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let approved = Approved::new(dir.path().join("state/approved"));
        let (a, b) = (Hash::of(b"a"), Hash::of(b"b"));
        assert!(!approved.has(&a));
        approved.add(&a).unwrap();
        approved.add(&a).unwrap();
        assert!(approved.has(&a) && !approved.has(&b));
    }
}
