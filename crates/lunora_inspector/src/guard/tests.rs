//! Heads that get in, and the many more that do not.

#![allow(clippy::unwrap_used)]

use axum::http::{HeaderName, Request};

use super::*;

const PORT: u16 = 4000;
const OURS: &str = "127.0.0.1:4000";

struct Head {
    method: Method,
    target: &'static str,
    headers: Vec<(HeaderName, Vec<u8>)>,
}

fn token() -> Token {
    Token::random().unwrap()
}

impl Head {
    fn get(target: &'static str) -> Self {
        Self {
            method: Method::GET,
            target,
            headers: Vec::new(),
        }
    }

    fn with(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((HeaderName::from_static(name), value.as_ref().to_vec()));
        self
    }

    fn ours(self) -> Self {
        self.with("host", OURS)
    }

    fn checked(&self, guard: &Guard) -> Result<(), Refusal> {
        let mut request = Request::builder().method(self.method.clone()).uri(self.target);
        for (name, value) in &self.headers {
            // What is no value of a header is refused by the parser of heads already.
            let Ok(value) = HeaderValue::from_bytes(value) else {
                return Err(Refusal::Host);
            };
            request = request.header(name, value);
        }
        guard.check(&request.body(()).unwrap().into_parts().0)
    }
}

fn guard() -> Guard {
    Guard::new(PORT, token())
}

#[test]
fn only_the_two_addresses_with_their_port_are_hosts() {
    for host in [OURS, "[::1]:4000"] {
        assert_eq!(Head::get("/").with("host", host).checked(&guard()), Ok(()), "{host}");
    }
    let others: [&[u8]; 76] = [
        b"",
        b"127.0.0.1",
        b"[::1]",
        b"localhost",
        b"localhost:4000",
        b"LOCALHOST:4000",
        b"127.0.0.1:",
        b"127.0.0.1:4001",
        b"127.0.0.1:400",
        b"127.0.0.1:40000",
        b"127.0.0.1:04000",
        b"127.0.0.1:4000.",
        b"127.0.0.1.:4000",
        b"127.0.0.1:+4000",
        b"127.0.0.1:-4000",
        b"127.0.0.1:4000:4000",
        b"127.0.0.1:4000 ",
        b" 127.0.0.1:4000 x",
        b"127.0.0.1 :4000",
        b"127.0.0.1\t:4000",
        b"127.0.0.1:4000,127.0.0.1:4000",
        b"127.0.0.1:4000, evil.test",
        b"127.0.0.1:4000;evil.test",
        b"127.0.0.1:4000/",
        b"127.0.0.1:4000/..",
        b"127.0.0.1:4000#",
        b"127.0.0.1:4000?",
        b"127.0.0.1:4000@evil.test",
        b"127.0.0.1:4000.evil.test",
        b"127.0.0.1.evil.test:4000",
        b"127.0.0.1.evil.test",
        b"127.0.0.1-evil.test:4000",
        b"evil.test",
        b"evil.test:4000",
        b"evil.test:80",
        b"localhost.evil.test:4000",
        b"evil.localhost:4000",
        b"app.localhost:4000",
        b"user@127.0.0.1:4000",
        b"user:password@127.0.0.1:4000",
        b"http://127.0.0.1:4000",
        b"//127.0.0.1:4000",
        b"127.1:4000",
        b"127.0.1:4000",
        b"127.0.0.2:4000",
        b"127.000.000.001:4000",
        b"0177.0.0.1:4000",
        b"0x7f.0.0.1:4000",
        b"0x7f000001:4000",
        b"2130706433:4000",
        b"0.0.0.0:4000",
        b"0:4000",
        b"::1:4000",
        b"[::1]:4001",
        b"[::1]4000",
        b"[::1",
        b"::1]:4000",
        b"[::]:4000",
        b"[0:0:0:0:0:0:0:1]:4000",
        b"[0000:0000:0000:0000:0000:0000:0000:0001]:4000",
        b"[::01]:4000",
        b"[::1%lo]:4000",
        b"[::1%25lo]:4000",
        b"[::ffff:127.0.0.1]:4000",
        b"[::ffff:7f00:1]:4000",
        b"[::127.0.0.1]:4000",
        b"[127.0.0.1]:4000",
        b"127.0.0.1:4000\xc2\xa0",
        "１２７.0.0.1:4000".as_bytes(),
        "127。0。0。1:4000".as_bytes(),
        "ｌocalhost:4000".as_bytes(),
        b"127.0.0.1:4000\xff",
        b"127.0.0.1%00:4000",
        b"127%2e0%2e0%2e1:4000",
        b"xn--127-0-0-1:4000",
        b"*:4000",
    ];
    for host in others {
        let outcome = Head::get("/").with("host", host).checked(&guard());
        assert_eq!(outcome, Err(Refusal::Host), "{}", String::from_utf8_lossy(host));
    }
}

#[test]
fn exactly_one_host_and_none_in_the_target() {
    assert_eq!(Head::get("/").checked(&guard()), Err(Refusal::Host));
    assert_eq!(Head::get("/").ours().ours().checked(&guard()), Err(Refusal::Host));
    for target in [
        "http://127.0.0.1:4000/",
        "http://evil.test/",
        "https://127.0.0.1:4000/",
        "file://127.0.0.1:4000/etc/passwd",
    ] {
        assert_eq!(
            Head::get(target).ours().checked(&guard()),
            Err(Refusal::Host),
            "{target}"
        );
    }
    let mut tunnel = Head::get("127.0.0.1:4000").ours();
    tunnel.method = Method::CONNECT;
    assert_eq!(tunnel.checked(&guard()), Err(Refusal::Host));
}

#[test]
fn the_default_port_is_left_out() {
    let guard = Guard::new(80, token());
    assert_eq!(Head::get("/").with("host", "127.0.0.1").checked(&guard), Ok(()));
    let stated = Head::get("/").with("host", "127.0.0.1:80").checked(&guard);
    assert_eq!(stated, Err(Refusal::Host));
}

#[test]
fn only_the_own_origin_is_one() {
    let own = Head::get("/").ours().with("origin", "http://127.0.0.1:4000");
    assert_eq!(own.checked(&guard()), Ok(()));
    let other_address = Head::get("/").with("host", "[::1]:4000");
    assert_eq!(
        other_address.with("origin", "http://[::1]:4000").checked(&guard()),
        Ok(())
    );
    let others: [&[u8]; 50] = [
        b"",
        b"null",
        b"NULL",
        b"*",
        b"undefined",
        b"127.0.0.1:4000",
        b"//127.0.0.1:4000",
        b"http:127.0.0.1:4000",
        b"http:/127.0.0.1:4000",
        b"http://",
        b"http://127.0.0.1",
        b"http://127.0.0.1:4001",
        b"http://127.0.0.1:40000",
        b"http://127.0.0.1:400",
        b"http://127.0.0.1:4000/",
        b"http://127.0.0.1:4000/index.html",
        b"http://127.0.0.1:4000#",
        b"http://127.0.0.1:4000?",
        b"http://127.0.0.1:4000.",
        b"http://127.0.0.1:4000 ,",
        b"http://127.0.0.1:4000, http://127.0.0.1:4000",
        b"http://127.0.0.1:4000 http://evil.test",
        b"http://127.0.0.1:4000.evil.test",
        b"http://127.0.0.1:4000@evil.test",
        b"http://user@127.0.0.1:4000",
        b"http://evil.test",
        b"http://evil.test:4000",
        b"http://evil.test/http://127.0.0.1:4000",
        b"https://127.0.0.1:4000",
        b"HTTP://127.0.0.1:4000",
        b"Http://127.0.0.1:4000",
        b"ws://127.0.0.1:4000",
        b"wss://127.0.0.1:4000",
        b"file://127.0.0.1:4000",
        b"file://",
        b"blob:http://127.0.0.1:4000",
        b"data:text/html",
        b"about:blank",
        b"chrome-extension://abcdefghijklmnop",
        b"moz-extension://127.0.0.1:4000",
        b"vscode-webview://127.0.0.1:4000",
        b"http://localhost",
        b"http://localhost:4000",
        b"http://localhost:5173",
        b"http://127.0.0.1:5173",
        b"http://[::1]:4000",
        b"http://127.1:4000",
        b"http://2130706433:4000",
        b"http://0.0.0.0:4000",
        b"http://127.0.0.1:4000\xff",
    ];
    for origin in others {
        let outcome = Head::get("/").ours().with("origin", origin).checked(&guard());
        assert_eq!(outcome, Err(Refusal::Origin), "{}", String::from_utf8_lossy(origin));
    }
    let twice = Head::get("/").ours().with("origin", "http://127.0.0.1:4000");
    let twice = twice.with("origin", "http://127.0.0.1:4000");
    assert_eq!(twice.checked(&guard()), Err(Refusal::Origin));
}

#[test]
fn other_sites_get_nothing_not_even_the_page() {
    for site in ["same-origin", "none"] {
        let head = Head::get("/").ours().with("sec-fetch-site", site);
        assert_eq!(head.checked(&guard()), Ok(()), "{site}");
    }
    for site in [
        "cross-site",
        "same-site",
        "",
        "Same-Origin",
        "NONE",
        "none,same-origin",
        "none none",
        "same-origin;",
        "\"none\"",
        "null",
        "x",
    ] {
        let head = Head::get("/").ours().with("sec-fetch-site", site);
        assert_eq!(head.checked(&guard()), Err(Refusal::Site), "{site}");
    }
    let twice = Head::get("/").ours().with("sec-fetch-site", "none");
    let twice = twice.with("sec-fetch-site", "none");
    assert_eq!(twice.checked(&guard()), Err(Refusal::Site));
}

#[test]
fn reading_and_posting_are_the_methods() {
    for method in [
        "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "QUERY", "get", "Post", "GETX",
    ] {
        let mut head = Head::get("/").ours();
        head.method = Method::from_bytes(method.as_bytes()).unwrap();
        assert_eq!(head.checked(&guard()), Err(Refusal::Method), "{method}");
    }
    let mut head = Head::get("/").ours();
    head.method = Method::HEAD;
    assert_eq!(head.checked(&guard()), Ok(()));
}

#[test]
fn a_post_says_that_it_is_json() {
    let post = |content_type: Option<&str>| {
        let token = token();
        let guard = Guard::new(PORT, token.clone());
        let mut head = Head::get("/api/mail/clear").ours();
        head.method = Method::POST;
        head = head.with("authorization", format!("Bearer {}", token.expose()));
        if let Some(value) = content_type {
            head = head.with("content-type", value);
        }
        head.checked(&guard)
    };
    for good in [
        "application/json",
        "application/json;charset=utf-8",
        "application/json; charset=UTF-8",
        "Application/JSON",
    ] {
        assert_eq!(post(Some(good)), Ok(()), "{good}");
    }
    assert_eq!(post(None), Err(Refusal::ContentType));
    for bad in [
        "",
        "text/plain",
        "text/plain; application/json",
        "text/plain,application/json",
        "application/json,text/plain",
        "application/json; charset=utf-7",
        "application/json; charset=utf-8; boundary=x",
        "application/json; boundary=x",
        "application/jsonx",
        "application/json/",
        "application/problem+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
        "application/csp-report",
        "application/reports+json",
        "text/json",
        "json",
        "*/*",
    ] {
        assert_eq!(post(Some(bad)), Err(Refusal::ContentType), "{bad}");
    }
}

#[test]
fn data_needs_the_token_and_the_page_does_not() {
    let token = token();
    let guard = Guard::new(PORT, token.clone());
    let text = token.expose();
    for path in [
        "/",
        "/index.html",
        "/assets/a.js",
        "/shards/x",
        "/apix",
        "/ap",
        "/%61pi/status",
        "//api/status",
    ] {
        assert_eq!(Head::get(path).ours().checked(&guard), Ok(()), "{path}");
    }
    for path in [
        "/api",
        "/api/",
        "/api/status",
        "/api//status",
        "/api/../x",
        "/api?x",
        "/api/%2e%2e/x",
    ] {
        assert_eq!(Head::get(path).ours().checked(&guard), Err(Refusal::NoToken), "{path}");
        let known = Head::get(path).ours().with("authorization", format!("Bearer {text}"));
        assert_eq!(known.checked(&guard), Ok(()), "{path}");
    }
    for value in [
        text.to_owned(),
        format!("bearer {text}"),
        format!("Basic {text}"),
        format!("Bearer  {text}"),
        format!("Bearer{text}"),
        format!("Bearer {text},"),
        format!("Bearer {text} {text}"),
        format!("Bearer {text}="),
        format!("Bearer {}", &text[1..]),
        format!("Bearer {}", &text[..42]),
        format!("Bearer {}", text.to_ascii_lowercase() + "x"),
        "Bearer ".to_owned(),
        "Bearer".to_owned(),
        "Bearer undefined".to_owned(),
        "Bearer null".to_owned(),
        String::new(),
    ] {
        let head = Head::get("/api/status").ours().with("authorization", &value);
        assert!(
            matches!(head.checked(&guard), Err(Refusal::Token | Refusal::NoToken)),
            "{value}"
        );
    }
    let twice = Head::get("/api/status").ours();
    let twice = twice.with("authorization", format!("Bearer {text}"));
    let twice = twice.with("authorization", format!("Bearer {text}"));
    assert_eq!(twice.checked(&guard), Err(Refusal::NoToken));
    for (name, value) in [
        ("cookie", format!("token={text}; lunora={text}")),
        ("x-token", text.to_owned()),
        ("referer", format!("http://127.0.0.1:4000/#token={text}")),
    ] {
        let head = Head::get("/api/status").ours().with(name, &value);
        assert_eq!(head.checked(&guard), Err(Refusal::NoToken), "{name}");
    }
}

#[test]
fn a_socket_carries_the_token_as_a_protocol() {
    let token = token();
    let guard = Guard::new(PORT, token.clone());
    let text = token.expose();
    let protocols = |value: &str| {
        let head = Head::get("/api/feed").ours();
        head.with("sec-websocket-protocol", value).checked(&guard)
    };
    assert_eq!(protocols(&format!("lunora.inspector, token.{text}")), Ok(()));
    assert_eq!(protocols(&format!("token.{text},lunora.inspector")), Ok(()));
    assert_eq!(
        protocols(&format!("lunora.inspector, token.{text}x")),
        Err(Refusal::Token)
    );
    assert_eq!(protocols("lunora.inspector, token."), Err(Refusal::Token));
    assert_eq!(protocols("lunora.inspector"), Err(Refusal::NoToken));
    // Several guesses at once are none.
    assert_eq!(protocols(&format!("token.a, token.{text}")), Err(Refusal::NoToken));
    // A wrong header is not made good by a right protocol.
    let both = Head::get("/api/feed").ours().with("authorization", "Bearer x");
    let both = both.with("sec-websocket-protocol", format!("token.{text}"));
    assert_eq!(both.checked(&guard), Err(Refusal::Token));
}

#[test]
fn a_ticket_lets_a_frame_read_one_mail() {
    let guard = guard();
    let address = guard.tickets().path_of_mail("a1");
    let head = |address: &str, method: Method| {
        let request = Request::builder().method(method).uri(address).header(HOST, OURS);
        let request = request.header("content-type", "application/json").body(()).unwrap();
        request.into_parts().0
    };
    assert_eq!(guard.check(&head(&address, Method::GET)), Ok(()));
    let other = address.replace("/a1/", "/a2/");
    assert_eq!(guard.check(&head(&other, Method::GET)), Err(Refusal::NoToken));
    for method in [Method::POST, Method::HEAD] {
        assert_eq!(guard.check(&head(&address, method)), Err(Refusal::NoToken));
    }
    let mut cross = head(&address, Method::GET);
    cross
        .headers
        .insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
    assert_eq!(guard.check(&cross), Err(Refusal::Site));
}
