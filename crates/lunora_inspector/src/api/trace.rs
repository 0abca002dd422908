//! `GET /api/trace`

use axum::Json;
use axum::extract::State;
use axum::http::Uri;

use crate::api::Api;
use crate::api::query::Fields;
use crate::reply::{Refused, bad_request, not_found};
use crate::timeline::{Trace, TraceOf};

pub(crate) async fn trace(State(api): State<Api>, uri: Uri) -> Result<Json<Trace>, Refused> {
    let fields = Fields::of(&uri, &["call", "object", "seq"])?;
    let of = match (
        fields.text("call"),
        fields.text("object"),
        fields.number("seq", u64::MAX)?,
    ) {
        (Some(call), None, None) => TraceOf::Call(call.to_owned()),
        (None, Some(object), Some(seq)) => TraceOf::Change {
            object: object.to_owned(),
            seq,
        },
        _ => return Err(bad_request("a trace is of a `call`, or of an `object` and a `seq`")),
    };
    let found = api.hub.timeline().trace(&of);
    found
        .map(Json)
        .ok_or_else(|| not_found("the timeline holds nothing of it: it never happened, or was let go since"))
}
