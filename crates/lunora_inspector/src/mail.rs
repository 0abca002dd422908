//! The mail that the app sends and receives in development.
//!
//! [`Inbox`] keeps it on disk; [`capture_router`] takes it from the app by a private socket, [`router`] shows it, and
//! a [`Deliver`] brings simulated mail to the worker's `email()`.

mod allowed;
mod allowed_styles;
mod capture;
mod change;
mod compose;
mod delivery;
mod extract;
mod failure;
mod folder;
mod handling;
#[cfg(test)]
mod hostile_html;
#[cfg(test)]
mod hostile_styles;
mod html_scan;
mod inbound;
mod inbox;
mod inbox_options;
pub mod limits;
mod message;
mod new_mail;
mod page;
#[cfg(test)]
mod page_check;
mod pictures;
mod record;
mod routes;
mod sanitise;
mod search;
mod structure;
mod style_declarations;
mod style_sheet;
mod style_text;
#[cfg(test)]
mod tests;

pub use capture::capture_router;
pub use change::{ChangeKind, Changed, MailChange};
pub use compose::{MailAddress, MailAddresses, MailAttachment, MailDescription};
pub use delivery::{Deliver, Delivered, Delivery, Forwarded, HandlerLogs, Replied, ReplyContent, Simulation};
pub use extract::{codes_of_text, links_of_text};
pub(crate) use handling::simulation;
pub use inbound::{InboundAnswer, InboundRequest};
pub use inbox::{Inbox, MailPage, MailStatus};
pub use inbox_options::{Clock, InboxOptions};
pub use message::PartSummary;
pub use new_mail::NewMail;
pub use record::{Direction, MailSummary, Outcome, OutcomeKind};
pub use routes::router;
