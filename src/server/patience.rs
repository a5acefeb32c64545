//! How long a server waits for a client that sends slowly.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::rt::time::{Sleep, sleep};
use actix_web::web::Bytes;
use futures_core::Stream;

/// Gives a request's body so long to arrive as a whole; then reading it fails, and the connection ends.
pub fn limit(request: &mut ServiceRequest, within: Duration) {
    if let payload @ Payload::H1 { .. } = request.take_payload() {
        let slow = Patient { payload, until: Box::pin(sleep(within)) };
        request.set_payload(Payload::Stream { payload: Box::pin(slow) });
    }
}

struct Patient {
    payload: Payload,
    until: Pin<Box<Sleep>>,
}

impl Stream for Patient {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let ready @ Poll::Ready(_) = Pin::new(&mut self.payload).poll_next(context) {
            return ready;
        }
        self.until.as_mut().poll(context).map(|()| {
            let error = std::io::Error::new(std::io::ErrorKind::TimedOut, "the body did not arrive in time");
            Some(Err(PayloadError::Io(error)))
        })
    }
}
