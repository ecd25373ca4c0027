//! Where a file comes from, and how it is kept: in pieces in the database, so that any worker can read it.

use std::io::{self, Read};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use kernel::{Actor, Error, Result};
use sha2::{Digest, Sha256};
use tokio::io::AsyncRead;
use tokio::sync::mpsc;
use uuid::Uuid;
use web::App;

use crate::store::imports::{FIND_PIECE, INSERT_PIECE};
use kernel::encoding::{Encoding, Sniffer};

/// Bytes of one stored piece.
pub(super) const PIECE: usize = 512 * 1024;
/// Pieces read ahead of the parser.
const AHEAD: usize = 2;

/// A file on its way in.
pub type Source<'a> = BoxStream<'a, io::Result<Bytes>>;

/// A file that is at hand.
pub fn bytes(content: impl Into<Bytes>) -> Source<'static> {
    let content = content.into();
    stream::once(async move { Ok(content) }).boxed()
}

/// A file that is read as it comes.
pub fn reader<'a>(source: impl AsyncRead + Unpin + Send + 'a) -> Source<'a> {
    let next = |mut source| async move {
        let mut block = vec![0; 64 * 1024];
        let length = tokio::io::AsyncReadExt::read(&mut source, &mut block).await?;
        block.truncate(length);
        Ok((length > 0).then(|| (Bytes::from(block), source)))
    };
    stream::try_unfold(source, next).boxed()
}

/// What became known of a file while it was stored.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// Its size.
    pub total_bytes: i64,
    /// What its bytes probably stand for.
    pub encoding: Encoding,
    /// SHA-256 in hexadecimal.
    pub hash: String,
    /// How it begins.
    pub head: Vec<u8>,
}

/// Stores a file in pieces.
pub(super) async fn store(
    app: &App,
    actor: &Actor,
    (client_id, import_id): (Uuid, Uuid),
    mut source: Source<'_>,
) -> Result<Stored> {
    let (mut sniffer, mut hash, mut piece, mut seq) =
        (Sniffer::default(), Sha256::new(), Vec::with_capacity(PIECE), 0_i32);
    let mut stored = Stored { total_bytes: 0, encoding: Encoding::Utf8, hash: String::new(), head: Vec::new() };
    let scope = app.db.scope(actor);
    while let Some(block) = source
        .try_next()
        .await
        .map_err(|error| Error::invalid("file", format!("the file did not arrive whole: {error}")))?
    {
        sniffer.push(&block);
        hash.update(&block);
        stored.total_bytes += block.len() as i64;
        let max_bytes = app.settings.import.max_bytes;
        if stored.total_bytes as u64 > max_bytes {
            return Err(Error::invalid("file", format!("larger than {}", web::view::bytes(max_bytes as i64))));
        }
        let room = PIECE.saturating_sub(stored.head.len()).min(block.len());
        stored.head.extend_from_slice(&block[..room]);
        piece.extend_from_slice(&block);
        if piece.len() >= PIECE {
            scope.execute(&INSERT_PIECE, &[&kernel::new_id(), &client_id, &import_id, &seq, &piece]).await?;
            piece.clear();
            seq += 1;
        }
    }
    if !piece.is_empty() {
        scope.execute(&INSERT_PIECE, &[&kernel::new_id(), &client_id, &import_id, &seq, &piece]).await?;
    }
    stored.encoding = sniffer.finish();
    stored.hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(stored)
}

/// A stored file, read piece by piece from a thread that may wait.
pub(super) struct StoredFile {
    pieces: mpsc::Receiver<Result<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
}

/// Opens a stored file. Pieces are fetched ahead until the reader is dropped.
pub(super) fn open(app: &App, actor: &Actor, (client_id, import_id): (Uuid, Uuid)) -> StoredFile {
    let (app, actor) = (app.clone(), actor.clone());
    let (sender, pieces) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        for seq in 0_i32.. {
            let found =
                app.db.scope(&actor).query_scalar::<Vec<u8>>(&FIND_PIECE, &[&client_id, &import_id, &seq]).await;
            if matches!(found, Err(Error::NotFound)) || sender.send(found).await.is_err() {
                return;
            }
        }
    });
    StoredFile { pieces, piece: Vec::new(), at: 0 }
}

impl Read for StoredFile {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            match self.pieces.blocking_recv() {
                None => return Ok(0),
                Some(piece) => self.piece = piece.map_err(io::Error::other)?,
            }
            self.at = 0;
        }
        let length = out.len().min(self.piece.len() - self.at);
        out[..length].copy_from_slice(&self.piece[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}
