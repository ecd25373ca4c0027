//! Hints from other connections: `LISTEN`, on a connection of its own, since a pooled one is somebody else's a
//! moment later.

use std::future::poll_fn;

use kernel::{Error, Result};
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client};

use crate::{Database, error, tls};

/// An ear on one channel. A hint may be lost with the connection: whoever listens also looks from time to time.
#[derive(Debug)]
pub struct Listener {
    heard: mpsc::Receiver<()>,
    // The connection lives as long as its client.
    _client: Client,
}

impl Database {
    /// Listens on `channel`, a name of our own.
    ///
    /// # Errors
    /// `Unavailable` when the database is out of reach.
    pub async fn listen(&self, channel: &'static str) -> Result<Listener> {
        let (config, connector) = tls::prepare(&self.ear)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the pool's connections drop notifications; this one asks for no data"
        )]
        let (client, mut connection) = config.connect(connector).await.map_err(|e| error::of_connecting(&e))?;
        // One hint waiting is as good as many.
        let (sender, heard) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if matches!(message, AsyncMessage::Notification(_)) {
                    let _ = sender.try_send(());
                }
            }
        });
        client.batch_execute(&format!("listen {channel}")).await.map_err(|e| error::of_statement("listen", &e))?;
        Ok(Listener { heard, _client: client })
    }
}

impl Listener {
    /// Waits for a hint.
    ///
    /// # Errors
    /// `Unavailable` when the connection has ended: listen anew.
    pub async fn heard(&mut self) -> Result<()> {
        self.heard.recv().await.ok_or_else(|| Error::Unavailable("the connection to the database was lost".into()))
    }
}
