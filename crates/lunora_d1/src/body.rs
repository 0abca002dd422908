//! Takes a request's body.

use axum::body::Body;
use http_body_util::BodyExt as _;
use lunora_diagnostics::codes;

use crate::failure::Failure;

/// The bytes of a body of at most `most` bytes. What is beyond is read and forgotten, because a client that is still
/// sending would see a broken connection in the place of the answer.
pub(crate) async fn read(mut body: Body, most: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| Failure::refused(codes::BAD_REQUEST, format_args!("the body broke off ({error})")))?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= most {
            bytes.extend_from_slice(&data);
        } else {
            bytes = Vec::new();
        }
    }
    if length > most {
        let text = format!("the request is {length} bytes long and {most} are the most; send less at once");
        return Err(Failure::refused(codes::PAYLOAD_TOO_LARGE, text));
    }
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_limit_is_the_last_that_passes() {
        assert_eq!(read(Body::from("abc"), 3).await.unwrap(), b"abc");
        let failure = read(Body::from("abcd"), 3).await.unwrap_err();
        assert_eq!(failure.status.as_u16(), 413);
        assert!(
            failure
                .text
                .starts_with("the request is 4 bytes long and 3 are the most"),
            "{}",
            failure.text
        );
    }
}
