//! Whom ACE trusts when it connects encrypted. `sslmode=require` encrypts and checks who answers. The test server has a Unix socket only, so a door in front of it
//! speaks TLS: it takes PostgreSQL's request for it and hands on what it deciphers.
#![cfg(test)]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use kernel::keyring::Keyring;
use providers::email::smtp::{Patience, Smtp, SmtpConfig};
use providers::email::{EmailDriver, OutgoingEmail};
use testkit::{Server, TestDatabase};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
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

/// A mail server with TLS from the first byte, and a certificate that nobody signed but itself.
async fn mail_server() -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(tls)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move { acceptor.accept(stream).await.map(take_mail)?.await });
        }
    });
    (port, made.cert.pem())
}

/// Says yes to everything.
async fn take_mail(stream: tokio_rustls::server::TlsStream<TcpStream>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.example\r\n").await?;
    let (mut line, mut text) = (String::new(), false);
    while stream.read_line(&mut line).await? > 0 {
        let answer = match line.trim_end() {
            "." => "250 taken\r\n",
            _ if text => "",
            "DATA" => "354 go on\r\n",
            _ => "250 fine\r\n",
        };
        text = (text || line.trim_end() == "DATA") && line.trim_end() != ".";
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
        line.clear();
    }
    Ok(())
}

#[tokio::test]
async fn a_mail_server_may_be_signed_by_an_authority_of_ones_own() {
    let (port, certificate) = mail_server().await;
    let directory = std::env::temp_dir().join(format!("ace-smtp-{port}"));
    std::fs::create_dir(&directory).unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let email = OutgoingEmail {
        message_id: kernel::new_id(),
        client_id: None,
        to: "ada@example.com".into(),
        from: "Acme Roofing <hello@acme.example>".into(),
        reply_to: None,
        subject: "Your gift card".into(),
        text: "Here it is".into(),
        html: None,
        unsubscribe_url: None,
        status_callback_url: None,
    };
    let trusting = |ca_file: Option<PathBuf>| {
        let config = SmtpConfig { ca_file, ..SmtpConfig::parse(&format!("smtps://localhost:{port}")).unwrap() };
        Smtp::new(config, Patience::USUAL, kernel::Clock::system())
    };
    let stranger = trusting(None).unwrap().send(&email).await.unwrap_err();
    assert!(format!("{stranger:?}").to_lowercase().contains("certificate"), "{stranger:?}");
    let own = trusting(Some(file("ca.pem", &certificate))).unwrap().send(&email).await;
    assert!(own.is_ok(), "{own:?}");
    for path in [file("text.pem", "no certificate"), directory.join("missing.pem")] {
        let refused = trusting(Some(path)).unwrap_err();
        assert_eq!(refused.fields()[0].field, "email.smtp_ca_file", "{refused}");
    }
    std::fs::remove_dir_all(&directory).ok();
}
