//! Answers requests for the portal's files.
//!
//! A path that is no file and has no extension is a page of the portal: its script draws it. Files are asked for anew each time, which costs no more than a
//! word about their digest where they are the same.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::File;
use crate::secret;

/// What a page may load: what comes from here. It may be framed by nobody, and its forms go nowhere but here.
pub const CONTENT_SECURITY_POLICY: &str =
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// The page that every path of the portal begins with.
const INDEX: &str = "index.html";

/// The answer to a GET or HEAD of `path`; `None` where there is no such file, nor can it be a page.
pub fn serve(path: &str, headers: &HeaderMap) -> Option<Response> {
    let name = path.strip_prefix('/')?;
    let (name, file) = match File::at(name) {
        Some(file) => (name, file),
        None if is_page(name, headers) => (INDEX, File::at(INDEX)?),
        None => return None,
    };
    let tag = format!("\"{}\"", secret::hexadecimal(&file.digest[..16]));
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|known| known.to_str().ok());
    let mut known =
        known.flat_map(|known| known.split(',')).map(|known| known.trim().trim_start_matches("W/"));
    let is_same = known.any(|known| known == "*" || known == tag);
    let mut response = match is_same {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Body::from(file.octets.into_owned()).into_response(),
    };
    let headers = response.headers_mut();
    if !is_same {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    Some(response)
}

/// Names of profiles may have dots in them: a browser that goes to a page says that it wants one.
fn is_page(name: &str, headers: &HeaderMap) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    !last.contains('.') || accept.contains("text/html")
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "text/plain; charset=utf-8",
    }
}
