//! Lines that are written at once, for commands that do not end by themselves.

use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

/// How often a pipe is looked at that takes nothing at the moment.
const LOOK_PAUSE: Duration = Duration::from_millis(5);

/// Standard output without a buffer.
pub(crate) struct Lines<Target = File> {
    target: Target,
}

/// Nobody reads any more, or nobody can.
pub(crate) enum Unwritten {
    /// The reader has gone: nothing is wrong.
    Closed,
    /// Everything else.
    Failed(io::Error),
}

impl Lines {
    /// Standard output itself: the buffer of the standard library would lose what a pipe does not take at once.
    #[cfg(unix)]
    pub(crate) fn standard() -> io::Result<Self> {
        use std::os::fd::AsFd as _;
        let target = io::stdout().as_fd().try_clone_to_owned()?.into();
        Ok(Self { target })
    }

    #[cfg(windows)]
    pub(crate) fn standard() -> io::Result<Self> {
        use std::os::windows::io::AsHandle as _;
        let target = io::stdout().as_handle().try_clone_to_owned()?.into();
        Ok(Self { target })
    }

    /// Whether whoever read it has gone, which a writer hears otherwise only when it writes next.
    #[cfg(unix)]
    pub(crate) fn is_closed(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut looked = [PollFd::new(&self.target, PollFlags::empty())];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut looked, Some(&at_once)).is_ok_and(|count| count > 0)
            && looked
                .iter()
                .any(|place| place.revents().intersects(PollFlags::ERR | PollFlags::HUP))
    }

    #[cfg(not(unix))]
    pub(crate) fn is_closed(&self) -> bool {
        false
    }
}

impl<Target: Write> Lines<Target> {
    /// Writes text that ends with a line break. Waits while the reader is slower: nothing is left out.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), Unwritten> {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match self.target.write(rest) {
                Ok(0) => return Err(Unwritten::Closed),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Node has made the pipe one that does not block.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(LOOK_PAUSE),
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(Unwritten::Closed),
                Err(error) => return Err(Unwritten::Failed(error)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Takes three bytes, then says that it would block, and so on; closed after `limit`.
    struct Narrow {
        taken: Vec<u8>,
        is_due: bool,
        limit: usize,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.taken.len() >= self.limit {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.is_due = !self.is_due;
            if self.is_due {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let piece = bytes.get(..3.min(bytes.len())).unwrap();
            self.taken.extend_from_slice(piece);
            Ok(piece.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(limit: usize) -> Lines<Narrow> {
        Lines {
            target: Narrow {
                taken: Vec::new(),
                is_due: false,
                limit,
            },
        }
    }

    #[test]
    fn a_slow_reader_gets_everything() {
        let mut lines = lines(usize::MAX);
        assert!(lines.write("one line\n").is_ok());
        assert!(lines.write("ä\n").is_ok());
        assert_eq!(lines.target.taken, "one line\nä\n".as_bytes());
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        assert!(matches!(lines(3).write("one line\n"), Err(Unwritten::Closed)));
    }

    #[cfg(unix)]
    #[test]
    fn a_closed_pipe_is_seen_without_a_write() {
        let (reader, writer) = io::pipe().unwrap();
        let lines = Lines {
            target: File::from(std::os::fd::OwnedFd::from(writer)),
        };
        assert!(!lines.is_closed());
        drop(reader);
        assert!(lines.is_closed());
    }
}
