//! Giving a simulated mail to the worker's `email()`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lunora_diagnostics::{Diagnostic, codes};
use lunora_inspector::mail::{Deliver, Delivered, Delivery, Forwarded, OutcomeKind, Replied, ReplyContent};
use lunora_workerd::{EmailContent, EmailOutcome, EventsSocket};

/// `listens` says whether the worker that serves has anything behind the socket: without it a call would only wait.
pub(crate) fn delivery(events: EventsSocket, listens: Arc<AtomicBool>) -> Deliver {
    Arc::new(move |mail| {
        let (events, listens) = (events.clone(), listens.clone());
        Box::pin(async move {
            if !listens.load(Ordering::Relaxed) {
                return Err(
                    Diagnostic::error(codes::MAIL_NO_HANDLER, "the worker has no `email()` handler")
                        .with_help("Add `email` to the options of `defineApp` in `lunora/app.ts`."),
                );
            }
            deliver(&events, &mail).await
        })
    })
}

async fn deliver(events: &EventsSocket, mail: &Delivery) -> Result<Delivered, Diagnostic> {
    let answer = events.email(&mail.from, &mail.to, &mail.headers, &mail.raw).await?;
    let (outcome, reason) = match answer.outcome {
        EmailOutcome::Accepted => (OutcomeKind::Accepted, None),
        EmailOutcome::Rejected(reason) => (OutcomeKind::Rejected, Some(reason)),
        EmailOutcome::Failed(reason) => (OutcomeKind::Failed, Some(reason)),
    };
    let forwarded = answer.forwards.into_iter().map(|forward| Forwarded {
        to: forward.to,
        headers: forward.headers,
    });
    let replies = answer.replies.into_iter().map(|reply| Replied {
        from: reply.from,
        to: reply.to,
        content: match reply.content {
            EmailContent::Raw(raw) => ReplyContent::Raw(raw),
            EmailContent::Described(description) => ReplyContent::Described(description),
        },
    });
    Ok(Delivered {
        outcome,
        reason,
        forwarded: forwarded.collect(),
        replies: replies.collect(),
        call: answer.call,
    })
}
