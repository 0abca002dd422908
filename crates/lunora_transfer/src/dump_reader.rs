//! Reading a dump line by line, with one line in memory.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use crate::error::TransferError;
use crate::line::{Footer, Header, Line, parse_line};
use crate::tally::Tally;

/// Longest line, bytes: a row of two million bytes, every one of them escaped.
const LINE_BYTES: u64 = 16 * 1024 * 1024;

/// Lines of a file.
pub struct DumpReader {
    path: PathBuf,
    file: BufReader<File>,
    buffer: Vec<u8>,
    number: u64,
}

impl DumpReader {
    /// Opens the file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path) -> Result<Self, TransferError> {
        let file = File::open(path).map_err(TransferError::read(path))?;
        Ok(Self {
            path: path.to_owned(),
            file: BufReader::with_capacity(256 * 1024, file),
            buffer: Vec::new(),
            number: 0,
        })
    }

    /// The number of the line that was read last, from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line without its end; `None` behind the last.
    ///
    /// # Errors
    /// When the file cannot be read, a line is too long, or the last has no end.
    pub fn next_text(&mut self) -> Result<Option<&[u8]>, TransferError> {
        self.buffer.clear();
        let read = (&mut self.file)
            .take(LINE_BYTES)
            .read_until(b'\n', &mut self.buffer)
            .map_err(TransferError::read(&self.path))?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.buffer.last() != Some(&b'\n') {
            if read as u64 == LINE_BYTES {
                return Err(TransferError::Malformed {
                    line: self.number,
                    why: format!("it is longer than {LINE_BYTES} bytes"),
                });
            }
            return Err(TransferError::Truncated(format!("line {} has no end", self.number)));
        }
        self.buffer.pop();
        Ok(Some(&self.buffer))
    }

    /// The first line.
    ///
    /// # Errors
    /// When it is none.
    pub fn header(&mut self) -> Result<Header, TransferError> {
        let Some(text) = self.next_text()? else {
            return Err(TransferError::Truncated("it is empty".to_owned()));
        };
        match parse_line(1, text)? {
            Line::Header(header) => Ok(header),
            _ => Err(TransferError::Malformed {
                line: 1,
                why: "a dump begins with a line of the kind `header`".to_owned(),
            }),
        }
    }
}

/// A dump that is whole: its first line, and a last line that is true of all in between.
///
/// # Errors
/// When it is not.
pub fn check_dump(path: &Path) -> Result<(Header, Footer), TransferError> {
    let mut reader = DumpReader::open(path)?;
    let header = reader.header()?;
    let mut tally = Tally::of(&header);
    loop {
        let number = reader.number() + 1;
        let Some(text) = reader.next_text()? else {
            return Err(TransferError::Truncated(
                "it has no last line of the kind `footer`".to_owned(),
            ));
        };
        match parse_line(number, text)? {
            Line::Footer(footer) => {
                if reader.next_text()?.is_some() {
                    return Err(TransferError::Malformed {
                        line: number + 1,
                        why: "lines follow the last line".to_owned(),
                    });
                }
                let expected = tally.footer();
                if footer == expected {
                    return Ok((header, footer));
                }
                let tables = crate::tally::differences(&footer.tables, &expected.tables);
                let what = if tables.is_empty() {
                    "its lines".to_owned()
                } else {
                    tables.join(", ")
                };
                return Err(TransferError::Proof(format!(
                    "the last line of the dump is not true of the lines before: {what}"
                )));
            }
            line => tally.add(number, &line)?,
        }
    }
}
