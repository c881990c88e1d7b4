//! Why something was not written.

use rusqlite::ErrorCode;

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no room.
    #[error("the disk that holds the store is full")]
    Full,
    /// The database is not what it was.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// There is no database to write to.
    #[error("the store is not in use: {0}")]
    Unavailable(String),
    /// Anything else.
    #[error("the store cannot be written: {0}")]
    Failed(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoreError::Damaged(error.to_string())
            }
            _ => StoreError::Failed(error.to_string()),
        }
    }
}
