//! A body that is written while it is sent: what a thread writes goes to the client in pieces, and waits when the client is slow.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::error::Result;

/// Bytes of a piece.
const PIECE: usize = 64 << 10;
/// Pieces on their way.
const PIECES: usize = 4;

/// The writing end.
pub struct Pipe {
    sender: Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

/// The end that is sent.
pub struct Body(pub Receiver<io::Result<Bytes>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        self.sender
            .blocking_send(Ok(piece))
            .map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the client is gone"))
    }
}

impl MessageBody for Body {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        self.0.poll_recv(context)
    }
}

/// Answers with what `write` writes, on a thread of its own. Where it fails, the answer breaks off, so that no client takes a part for
/// the whole.
pub fn answer(content_type: &str, name: &str, write: impl FnOnce(Pipe) -> Result<()> + Send + 'static) -> HttpResponse {
    let (sender, receiver) = channel(PIECES);
    let pipe = Pipe { sender: sender.clone(), piece: Vec::with_capacity(PIECE) };
    actix_web::rt::task::spawn_blocking(move || {
        if let Err(error) = write(pipe) {
            if !sender.is_closed() {
                tracing::error!("an answer broke off: {error}");
            }
            let _ = sender.blocking_send(Err(io::Error::other("the answer broke off")));
        }
    });
    // names are letters, digits, '-', '_' and '.'
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header(("Content-Disposition", format!("attachment; filename=\"{name}\"")))
        .body(Body(receiver))
}
