//! Why a request goes no further.

use lunora_diagnostics::{Diagnostic, codes};

/// What a head lacks. None of the texts repeats what was sent: they may be read by whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `Host` is not the address that is listened on.
    Host,
    /// `Sec-Fetch-Site` names another site.
    Site,
    /// `Origin` is another.
    Origin,
    /// Not a method that anything here takes.
    Method,
    /// A `POST` that does not carry JSON.
    ContentType,
    /// There is no token.
    NoToken,
    /// It is another token.
    Token,
}

impl Refusal {
    /// The coded error.
    #[must_use]
    pub fn diagnostic(self) -> Diagnostic {
        match self {
            Self::Host => Diagnostic::error(
                codes::HOST_NOT_ALLOWED,
                "the request does not name the address of the inspector in `Host`",
            )
            .with_help("Open the address that the dev server printed, with 127.0.0.1 and its port."),
            Self::Site => Diagnostic::error(
                codes::ORIGIN_NOT_ALLOWED,
                "a page of another site may neither embed, link to nor call the inspector",
            )
            .with_help("Open the address that the dev server printed in a tab of its own."),
            Self::Origin => Diagnostic::error(codes::ORIGIN_NOT_ALLOWED, "`Origin` is not that of the inspector")
                .with_help("Only the inspector's own page and programs that send no `Origin` may call it."),
            Self::Method => Diagnostic::error(codes::METHOD_NOT_ALLOWED, "the inspector takes GET, HEAD and POST")
                .with_help("Read with GET, change with POST."),
            Self::ContentType => Diagnostic::error(codes::UNSUPPORTED_MEDIA_TYPE, "the body is not declared as JSON")
                .with_help("Send `content-type: application/json`."),
            Self::NoToken => Diagnostic::error(codes::UNAUTHORIZED, "the request carries no token of the inspector")
                .with_help("Send `authorization: Bearer …` with the token of `.lunora/inspector.json`."),
            Self::Token => Diagnostic::error(codes::UNAUTHORIZED, "the token is not that of this run").with_help(
                "A dev server makes a new token each time it starts: take the one of `.lunora/inspector.json`, or open \
                 the address that it printed.",
            ),
        }
    }
}
