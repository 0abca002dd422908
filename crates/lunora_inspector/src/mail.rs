//! The mail that the app sends and receives in development.
//!
//! [`Inbox`] keeps it on disk; [`capture_router`] takes it from the app by a private socket, [`router`] shows it, and
//! a [`Deliver`] brings simulated mail to the worker's `email()`.

mod allowed;
mod capture;
mod change;
mod compose;
mod extract;
mod failure;
mod folder;
mod html_scan;
mod inbound;
mod inbox;
mod inbox_options;
pub mod limits;
mod message;
mod new_mail;
mod page;
mod record;
mod routes;
mod sanitise;
mod search;
mod structure;
#[cfg(test)]
mod tests;

pub use capture::capture_router;
pub use change::{ChangeKind, Changed, MailChange};
pub use compose::{MailAddress, MailAddresses, MailAttachment, MailDescription};
pub use extract::{codes_of_text, links_of_text};
pub use inbound::{Deliver, Delivered, Delivery, Forwarded, InboundAnswer, InboundRequest, Replied, ReplyContent};
pub use inbox::{Inbox, MailPage, MailStatus};
pub use inbox_options::{Clock, InboxOptions};
pub use message::PartSummary;
pub use new_mail::NewMail;
pub use record::{Direction, MailSummary, Outcome, OutcomeKind};
pub use routes::router;
