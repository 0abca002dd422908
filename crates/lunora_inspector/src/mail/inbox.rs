//! The inbox: mails on disk, what lists need of them in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lunora_diagnostics::Diagnostic;
use serde::Serialize;

use super::change::{ChangeKind, MailChange};
use super::failure::{invalid, not_found, not_kept};
use super::folder::{Folder, is_region};
use super::html_scan::scan;
use super::inbox_options::InboxOptions;
use super::message::Parsed;
use super::new_mail::NewMail;
use super::record::{MailSummary, Outcome, Record, cut};
use super::search::Search;

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MailStatus {
    /// Mails.
    pub count: usize,
    /// Of them unread.
    pub unread: usize,
    /// Bytes of their raw messages.
    pub bytes: u64,
}

/// A page of the inbox, newest first.
#[derive(Debug, Clone, Serialize)]
pub struct MailPage {
    /// The mails.
    pub mails: Vec<MailSummary>,
    /// Unread mails of the whole inbox.
    pub unread: usize,
    /// Mails of the whole inbox that the search finds.
    pub count: usize,
}

#[derive(Default)]
struct Index {
    /// By id, and so by time.
    records: BTreeMap<String, Record>,
    bytes: u64,
}

/// The mails of one app. All methods read or write files: call them where that may take a moment.
pub struct Inbox {
    options: InboxOptions,
    index: Mutex<Index>,
}

impl fmt::Debug for Inbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Inbox")
            .field("state", &self.options.state)
            .finish_non_exhaustive()
    }
}

/// Headers are bounded by the megabyte; what stays in memory of one mail is bounded by the kilobyte.
const SUBJECT_CHARACTERS: usize = 1_000;
const ADDRESS_CHARACTERS: usize = 300;
const ADDRESSES: usize = 50;
const EXCERPT_CHARACTERS: usize = 2_000;

fn cut_all(list: &[String]) -> Vec<String> {
    list.iter()
        .take(ADDRESSES)
        .map(|one| cut(one, ADDRESS_CHARACTERS))
        .collect()
}

impl Inbox {
    /// Opens what the folders below the state folder hold. The warnings name mails that are torn and left out.
    ///
    /// # Errors
    /// `MAIL_NOT_KEPT` when a folder cannot be read.
    pub fn open(options: InboxOptions) -> Result<(Self, Vec<Diagnostic>), Diagnostic> {
        let failed = |error: std::io::Error| not_kept("the inbox cannot be read", &error);
        let (mut index, mut torn) = (Index::default(), Vec::new());
        for folder in Folder::all(&options.state).map_err(failed)? {
            let found = folder.load().map_err(failed)?;
            torn.extend(found.torn);
            for record in found.records {
                index.bytes += record.summary.size;
                index.records.insert(record.summary.id.clone(), record);
            }
        }
        let inbox = Self {
            options,
            index: Mutex::new(index),
        };
        inbox.trim()?;
        Ok((inbox, torn))
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // Each change is whole before the lock is let go, so a panic elsewhere leaves nothing torn.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self, region: Option<&str>) -> Folder {
        Folder::of(&self.options.state, region)
    }

    /// What time the inbox has it, in milliseconds since the epoch.
    pub(crate) fn now(&self) -> u64 {
        (self.options.clock)()
    }

    fn tell(&self, change: ChangeKind, id: Option<&str>) {
        (self.options.changed)(MailChange {
            kind: "mail",
            at: self.now(),
            id: id.map(str::to_owned),
            change,
        });
    }

    /// Keeps a mail and answers its id.
    ///
    /// # Errors
    /// `MAIL_INVALID`, `MAIL_TOO_LARGE`, `MAIL_NOT_KEPT`. Nothing is kept then.
    pub fn add(&self, mail: &NewMail) -> Result<String, Diagnostic> {
        if let Some(region) = mail.region.as_deref().filter(|region| !is_region(region)) {
            return Err(invalid(format!(
                "`{}` is not the name of a region",
                region.escape_debug()
            )));
        }
        let parsed = Parsed::of(&mail.raw)?;
        let text = parsed
            .text()
            .or_else(|| parsed.html().map(|html| scan(&html).text))
            .unwrap_or_default();
        let envelope = &parsed.envelope;
        let to = if mail.to.is_empty() { &envelope.to } else { &mail.to };
        let at = self.now();
        let summary = MailSummary {
            id: String::new(),
            at,
            from: cut(mail.from.as_deref().unwrap_or(&envelope.from), ADDRESS_CHARACTERS),
            to: cut_all(to),
            subject: cut(&envelope.subject, SUBJECT_CHARACTERS),
            is_read: false,
            size: u64::try_from(mail.raw.len()).unwrap_or(u64::MAX),
            attachments: parsed.attachments(),
            direction: mail.direction,
            call: mail.call.as_deref().map(|text| cut(text, ADDRESS_CHARACTERS)),
            function_path: mail.function_path.as_deref().map(|text| cut(text, ADDRESS_CHARACTERS)),
            region: mail.region.clone(),
            caused_by: mail.caused_by.clone(),
            outcome: None,
        };
        let mut record = Record {
            summary,
            bcc: cut_all(&mail.bcc),
            excerpt: cut(&text, EXCERPT_CHARACTERS),
        };
        let id = {
            let mut index = self.index();
            let id = next_id(&index, at);
            record.summary.id.clone_from(&id);
            self.folder(mail.region.as_deref())
                .add(&record, &mail.raw)
                .map_err(|error| not_kept("the mail cannot be kept", &error))?;
            index.bytes += record.summary.size;
            index.records.insert(id.clone(), record);
            id
        };
        self.tell(ChangeKind::Added, Some(&id));
        self.trim()?;
        Ok(id)
    }

    /// Lets go of the oldest while there are too many. The newest stays, however large.
    fn trim(&self) -> Result<(), Diagnostic> {
        loop {
            let oldest = {
                let index = self.index();
                let too_many = index.records.len() > self.options.most_mails
                    || (index.bytes > self.options.most_bytes && index.records.len() > 1);
                match index.records.keys().next() {
                    Some(id) if too_many => id.clone(),
                    _ => return Ok(()),
                }
            };
            self.delete(&[oldest])?;
        }
    }

    fn record(&self, id: &str) -> Result<Record, Diagnostic> {
        let record = self.index().records.get(id).cloned();
        record.ok_or_else(|| not_found(&format!("mail `{}`", id.escape_debug())))
    }

    /// A mail's summary, with the recipients that the message does not name.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub fn summary(&self, id: &str) -> Result<(MailSummary, Vec<String>), Diagnostic> {
        let record = self.record(id)?;
        Ok((record.summary, record.bcc))
    }

    /// The raw message.
    ///
    /// # Errors
    /// `NOT_FOUND`, `MAIL_NOT_KEPT`.
    pub fn raw(&self, id: &str) -> Result<Vec<u8>, Diagnostic> {
        let record = self.record(id)?;
        self.folder(record.summary.region.as_deref())
            .raw(id)
            .map_err(|error| not_kept("the mail cannot be read", &error))
    }

    /// Mails that a search finds, newest first, `limit` of them older than `after`.
    #[must_use]
    pub fn list(&self, search: &str, after: Option<&str>, limit: usize) -> MailPage {
        let search = Search::of(search);
        let index = self.index();
        let mut page = MailPage {
            mails: Vec::new(),
            unread: index.records.values().filter(|record| !record.summary.is_read).count(),
            count: 0,
        };
        for (id, record) in index.records.iter().rev() {
            if !search.finds(record) {
                continue;
            }
            page.count += 1;
            if page.mails.len() < limit && after.is_none_or(|after| id.as_str() < after) {
                page.mails.push(record.summary.clone());
            }
        }
        page
    }

    /// How much there is.
    #[must_use]
    pub fn status(&self) -> MailStatus {
        let index = self.index();
        MailStatus {
            count: index.records.len(),
            unread: index.records.values().filter(|record| !record.summary.is_read).count(),
            bytes: index.bytes,
        }
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut MailSummary) -> bool) -> Result<bool, Diagnostic> {
        let mut index = self.index();
        let Some(record) = index.records.get(id) else {
            return Err(not_found(&format!("mail `{}`", id.escape_debug())));
        };
        let mut record = record.clone();
        if !change(&mut record.summary) {
            return Ok(false);
        }
        self.folder(record.summary.region.as_deref())
            .set(&record)
            .map_err(|error| not_kept("the mail cannot be changed", &error))?;
        index.records.insert(id.to_owned(), record);
        Ok(true)
    }

    /// Marks mails as read. Those that are gone are passed over.
    ///
    /// # Errors
    /// `MAIL_NOT_KEPT`.
    pub fn read(&self, ids: &[String]) -> Result<(), Diagnostic> {
        for id in ids {
            let changed = self.change(id, |mail| !std::mem::replace(&mut mail.is_read, true));
            match changed {
                Ok(true) => self.tell(ChangeKind::Read, Some(id)),
                Ok(false) => {}
                Err(error) if error.code == lunora_diagnostics::codes::NOT_FOUND => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Notes how the delivery of an inbound mail came out.
    ///
    /// # Errors
    /// `NOT_FOUND`, `MAIL_NOT_KEPT`.
    pub(crate) fn set_outcome(&self, id: &str, outcome: Outcome, call: Option<String>) -> Result<(), Diagnostic> {
        self.change(id, |mail| {
            mail.outcome = Some(outcome);
            mail.call = call;
            true
        })
        .map(|_| ())
    }

    fn remove(&self, index: &mut Index, id: &str) -> Result<bool, Diagnostic> {
        let Some(record) = index.records.get(id) else {
            return Ok(false);
        };
        let size = record.summary.size;
        self.folder(record.summary.region.as_deref())
            .remove(id)
            .map_err(|error| not_kept("the mail cannot be deleted", &error))?;
        index.records.remove(id);
        index.bytes -= size;
        Ok(true)
    }

    /// Deletes mails. Those that are gone are passed over.
    ///
    /// # Errors
    /// `MAIL_NOT_KEPT`.
    pub fn delete(&self, ids: &[String]) -> Result<(), Diagnostic> {
        for id in ids {
            let removed = self.remove(&mut self.index(), id)?;
            if removed {
                self.tell(ChangeKind::Deleted, Some(id));
            }
        }
        Ok(())
    }

    /// Deletes all mails.
    ///
    /// # Errors
    /// `MAIL_NOT_KEPT`.
    pub fn clear(&self) -> Result<(), Diagnostic> {
        {
            let mut index = self.index();
            let ids: Vec<String> = index.records.keys().cloned().collect();
            for id in ids {
                self.remove(&mut index, &id)?;
            }
        }
        self.tell(ChangeKind::Cleared, None);
        Ok(())
    }
}

/// The time and a number, so that ids sort as mails came, also where the clock stands still or goes back.
fn next_id(index: &Index, at: u64) -> String {
    let last = index.records.keys().next_back().and_then(|id| {
        let (time, number) = id.split_once('-')?;
        Some((
            u64::from_str_radix(time, 16).ok()?,
            u64::from_str_radix(number, 16).ok()?,
        ))
    });
    let (time, number) = match last {
        Some((time, number)) if time >= at => (time, number + 1),
        _ => (at, 0),
    };
    format!("{time:012x}-{number:04x}")
}
