//! `sslmode=require` encrypts and checks who answers. The test server has a Unix socket only, so a door in front of it
//! speaks TLS: it takes PostgreSQL's request for it and hands on what it deciphers.
#![cfg(test)]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use kernel::keyring::Keyring;
use testkit::{Server, TestDatabase};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_postgres::config::Host;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// PostgreSQL's request for TLS: eight bytes long, and this number.
const TLS_PLEASE: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

struct Door {
    /// Removed with this value.
    directory: PathBuf,
    /// The certificate it shows, for whoever trusts it.
    certificate: PathBuf,
    name: String,
}

impl Door {
    /// With a certificate for `host`.
    async fn open(db: &TestDatabase, host: &str) -> Self {
        let server = Server::find().await.unwrap().config(db.name());
        let Some(Host::Unix(directory)) = server.get_hosts().first() else { panic!("the test server has no socket") };
        let socket = directory.join(format!(".s.PGSQL.{}", server.get_ports().first().copied().unwrap_or(5432)));
        let made = rcgen::generate_simple_self_signed(vec![host.to_owned()]).unwrap();
        let directory = std::env::temp_dir().join(format!("{}-{host}", db.name()));
        std::fs::create_dir(&directory).unwrap();
        let certificate = directory.join("certificate.pem");
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let tls =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let (acceptor, listener) = (TlsAcceptor::from(Arc::new(tls)), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(let_in(stream, acceptor.clone(), socket.clone()));
            }
        });
        let user = server.get_user().unwrap();
        Self { directory, certificate, name: format!("{user}@localhost:{port}/{}", db.name()) }
    }

    /// `ace migrate` through this door.
    async fn migrate(&self, parameters: &str, trusting: Option<&PathBuf>) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ace"));
        command
            .args(["migrate", "--json"])
            .env_clear()
            .envs(std::env::vars().filter(|(name, _)| !name.starts_with("ACE_")))
            .env("DATABASE_URL", format!("postgres://{}{parameters}", self.name))
            .env("ACE_DATA_DIR", &self.directory)
            .env("ACE_KEYS", Keyring::for_tests().written().replace('\n', " "))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(certificate) = trusting {
            command.env("SSL_CERT_FILE", certificate);
        }
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.directory).ok();
    }
}

/// Turns away whoever does not ask for TLS.
async fn let_in(mut stream: TcpStream, acceptor: TlsAcceptor, socket: PathBuf) {
    let mut asked = [0; 8];
    if stream.read_exact(&mut asked).await.is_err() || asked != TLS_PLEASE {
        return;
    }
    stream.write_all(b"S").await.unwrap();
    if let (Ok(mut inside), Ok(mut postgres)) = (acceptor.accept(stream).await, UnixStream::connect(socket).await) {
        let _ = copy_bidirectional(&mut inside, &mut postgres).await;
    }
}

fn complaint(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_certificate_that_is_trusted_lets_in_and_no_other() {
    let db = TestDatabase::new().await;
    let door = Door::open(&db, "localhost").await;
    let output = door.migrate("?sslmode=require", Some(&door.certificate)).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let stranger = complaint(&door.migrate("?sslmode=require", None).await);
    assert!(stranger.contains("UnknownIssuer") || stranger.contains("invalid peer certificate"), "{stranger}");

    let elsewhere = Door::open(&db, "elsewhere.example").await;
    let output = elsewhere.migrate("?sslmode=require", Some(&elsewhere.certificate)).await;
    assert!(complaint(&output).contains("not valid for name"), "{}", complaint(&output));

    // not a fallback either way: what did not ask for it does not get it
    assert!(complaint(&door.migrate("", Some(&door.certificate)).await).contains("out of reach"));
}
