//! Pages of a list, by keyset: the cursor holds the last row's sort values, so a page costs the same
//! at the front and at the end, and rows that arrive meanwhile shift nothing.
//!
//! Of the API a cursor is good only for the list that it came from, with the same filters and as it was given: it
//! carries a mark that only the same [`List`] makes. The web kit says which list a request is about.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// Rows on a page when nothing is asked for.
pub const DEFAULT_LIMIT: i64 = 50;
/// The most rows a page can have.
pub const MAX_LIMIT: i64 = 200;

/// Bytes of a cursor's mark.
const MARK: usize = 12;

tokio::task_local! {
    static LIST: List;
}

/// One list with its filters: a secret of the two, under which its cursors are marked.
#[derive(Debug, Clone, Copy)]
pub struct List(pub [u8; 32]);

impl List {
    fn mark(&self, cursor: &[u8]) -> [u8; MARK] {
        let hash = Sha256::new().chain_update(self.0).chain_update(cursor).finalize();
        std::array::from_fn(|n| hash[n])
    }
}

/// Runs what answers a request about `list`: cursors that it gives and takes are of this list only.
pub async fn of_list<T>(list: List, work: impl Future<Output = T>) -> T {
    LIST.scope(list, work).await
}

/// The mark of a cursor; none where no list is named, as on the command line.
fn mark(cursor: &[u8]) -> Vec<u8> {
    LIST.try_with(|list| list.mark(cursor).to_vec()).unwrap_or_default()
}

/// Which page is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageParams {
    /// How many rows, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

impl PageParams {
    /// The wanted number of rows.
    ///
    /// # Errors
    /// Names `limit` when it is not 1 to 200.
    pub fn limit(&self) -> Result<i64> {
        match self.limit {
            None => Ok(DEFAULT_LIMIT),
            Some(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
            Some(_) => Err(Error::invalid("limit", format!("limit must be between 1 and {MAX_LIMIT}"))),
        }
    }

    /// The sort values of the last row of the page before.
    ///
    /// # Errors
    /// Names `after` when it is not one of our cursors.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>> {
        let Some(text) = self.after.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let wrong =
            || Error::invalid("after", "must be the `next` of an earlier page of this list, with the same filters");
        let marked = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
        let length = if LIST.try_with(|_| ()).is_ok() { MARK } else { 0 };
        let (given, json) = marked.split_at_checked(length).ok_or_else(wrong)?;
        if given != mark(json) {
            return Err(wrong());
        }
        serde_json::from_slice(json).map(Some).map_err(|_| wrong())
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// The cursor of the next page; null on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page from up to `limit + 1` rows: the extra row only tells that there is more.
    pub fn from_rows<K: Serialize>(mut rows: Vec<T>, limit: i64, key: impl Fn(&T) -> K) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).and_then(|row| {
            let json = serde_json::to_vec(&key(row)).ok()?;
            Some(URL_SAFE_NO_PAD.encode([mark(&json), json].concat()))
        });
        Self { data: rows, next }
    }

    /// The same page with every row turned into something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(f).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_leads_on_and_ends_on_the_last_page() {
        let page = Page::from_rows(vec![1, 2, 3], 2, |n| *n);
        assert_eq!(page.data, [1, 2]);
        let params = PageParams { after: page.next, limit: None };
        assert_eq!(params.after::<i32>().unwrap(), Some(2));
        assert_eq!(Page::from_rows(vec![1, 2], 2, |n| *n).next, None);
    }

    #[tokio::test]
    async fn a_cursor_leads_on_in_its_own_list_only_and_as_it_was_given() {
        let (lists, cards) = (List([1; 32]), List([2; 32]));
        let next = of_list(lists, async { Page::from_rows(vec![1, 2, 3], 2, |n| *n).next }).await;
        let params = PageParams { after: next.clone(), limit: None };
        assert_eq!(of_list(lists, async { params.after::<i32>() }).await.unwrap(), Some(2));
        assert_eq!(of_list(cards, async { params.after::<i32>() }).await.unwrap_err().fields()[0].field, "after");
        let mut bytes = URL_SAFE_NO_PAD.decode(next.unwrap()).unwrap();
        *bytes.last_mut().unwrap() = b'9';
        for after in [URL_SAFE_NO_PAD.encode(bytes), URL_SAFE_NO_PAD.encode("2"), String::from("Mg")] {
            let params = PageParams { after: Some(after), limit: None };
            assert!(of_list(lists, async { params.after::<i32>() }).await.is_err());
        }
    }

    #[test]
    fn a_made_up_cursor_and_a_limit_out_of_range_are_refused_by_name() {
        let params = PageParams { after: Some("nonsense!".into()), limit: Some(201) };
        assert_eq!(params.after::<i32>().unwrap_err().fields()[0].field, "after");
        assert_eq!(params.limit().unwrap_err().fields()[0].field, "limit");
    }
}
