//! Which state of a document is there: its content hash and the change that brought it.

use serde::{Deserialize, Serialize};

use super::{Catalogue, Record, damaged};
use crate::document::Document;
use crate::error::Result;

/// The state of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The catalogue's sequence number of the change that brought it.
    pub sequence: u64,
    /// BLAKE3 of the document as JSON, in hex.
    pub hash: String,
}

impl Catalogue {
    /// The state of the document of this id, without reading the document itself.
    ///
    /// # Errors
    /// [`DamagedRecord`](crate::IndexError::DamagedRecord) when the record does not parse.
    pub fn version(&self, id: &str) -> Result<Option<Version>> {
        let bytes = self.documents.get(id.as_bytes()).map_err(|e| self.store(e))?;
        bytes.map(|bytes| serde_json::from_slice(&bytes).map_err(|e| damaged(id.as_bytes(), &e))).transpose()
    }

    /// The document of this id together with its state.
    ///
    /// # Errors
    /// As [`Catalogue::version`].
    pub fn get_versioned(&self, id: &str) -> Result<Option<(Version, Document)>> {
        let bytes = self.documents.get(id.as_bytes()).map_err(|e| self.store(e))?;
        let record = bytes.map(|bytes| serde_json::from_slice::<Record<Document>>(&bytes));
        let split = |r: Record<Document>| (Version { sequence: r.sequence, hash: r.hash }, r.document);
        record.map(|record| record.map(split).map_err(|e| damaged(id.as_bytes(), &e))).transpose()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::testing::documents;

    #[test]
    fn a_version_changes_with_the_document_and_only_then() {
        let home = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::open(home.path()).unwrap();
        let mut documents = documents(2);
        catalogue.put(&documents).unwrap();
        let before = catalogue.version("s00001").unwrap().unwrap();
        assert_eq!(before.sequence, 2);
        catalogue.put(&documents).unwrap();
        assert_eq!(catalogue.version("s00001").unwrap().unwrap(), before);
        documents[1].text.push_str(" more");
        catalogue.put(&documents).unwrap();
        let (after, document) = catalogue.get_versioned("s00001").unwrap().unwrap();
        assert_eq!((after.sequence, &document), (3, &documents[1]));
        assert_ne!(after.hash, before.hash);
        assert_eq!(catalogue.version("s00000").unwrap().unwrap().sequence, 1);
        assert_eq!(catalogue.version("nobody").unwrap(), None);
    }
}
