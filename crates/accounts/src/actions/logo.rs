//! A client's logo, uploaded.

use kernel::{Actor, Error, Result, new_id};
use uuid::Uuid;
use web::App;

use super::{ClientChange, update_client};

/// The largest logo, in bytes: it is sent to every phone.
pub const MOST_BYTES: usize = 200 * 1024;

database::statement! {
    /// A logo; `logo_url` of the client leads to it.
    INSERT, app, "
        insert into client_logos (id, client_id, content_type, picture, created_at)
        values ($1, $2, $3, $4, $5)";
    /// Takes the logos before it away.
    DELETE_OTHERS, app, "
        delete from client_logos
        where client_id = $1
          and id <> $2"
}

/// Keeps a picture as the client's logo.
///
/// # Errors
/// `file` when it is no PNG or JPEG, or too large; `NotFound` when the client is out of reach.
pub async fn keep(app: &App, actor: &Actor, client_id: Uuid, picture: &[u8]) -> Result<()> {
    let kind = kind_of(picture).ok_or_else(|| Error::invalid("file", "choose a PNG or JPEG picture"))?;
    if picture.len() > MOST_BYTES {
        return Err(Error::invalid("file", "choose a picture of at most 200 kB"));
    }
    let id = new_id();
    let tx = app.db.scope(actor).transaction().await?;
    tx.execute(&INSERT, &[&id, &client_id, &kind, &picture, &tx.now()]).await?;
    tx.commit().await?;
    let url = app.link(&format!("/p/logo-{id}"));
    update_client(app, actor, client_id, &ClientChange { logo_url: Some(&url), ..ClientChange::default() }).await?;
    let tx = app.db.scope(actor).transaction().await?;
    tx.execute(&DELETE_OTHERS, &[&client_id, &id]).await?;
    tx.commit().await
}

/// The type of a picture by its first bytes, whatever its name says. An SVG is a program and no picture here.
fn kind_of(picture: &[u8]) -> Option<&'static str> {
    match picture {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_told_by_its_bytes_and_a_program_is_none() {
        assert_eq!(kind_of(b"\x89PNG\r\n\x1a\n...."), Some("image/png"));
        assert_eq!(kind_of(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        for wrong in [&b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..], b"<html>", b"GIF89a", b"", b"\x89PN"] {
            assert_eq!(kind_of(wrong), None);
        }
    }
}
