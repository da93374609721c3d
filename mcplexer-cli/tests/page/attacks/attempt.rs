//! A request that is tried, and how it has to be answered.
//!
//! The rule is written here once more, in the words of the threat: what may be answered does not follow from the program.

use super::routes::{Needs, Route};
use crate::http::{Answer, Ask};
use crate::place::{Opened, Place, STORED};

pub(super) const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
pub(super) const MEDIA: [&str; 4] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "multipart/form-data; boundary=x",
];

/// A request that is tried.
#[derive(Debug, Clone)]
pub(super) struct Try<'a> {
    pub(super) route: &'a Route,
    pub(super) method: &'a str,
    pub(super) hosts: Vec<String>,
    pub(super) origin: Option<String>,
    pub(super) site: Option<&'a str>,
    pub(super) media: &'a str,
    pub(super) token: Token,
    pub(super) carried: Carried,
}

/// Whose token a request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    None,
    Garbage,
    UsedTicket,
    /// Of a session that has ended.
    Ended,
    /// Of a session.
    Session,
    /// Of a client that may use the tools of servers alone.
    Tools,
    /// Of a client that may read, too.
    Reads,
    /// Of a client that may write, too.
    Writes,
    /// Of a client that could write, and was removed.
    Removed,
}

pub(super) const TOKENS: [Token; 9] = [
    Token::None,
    Token::Garbage,
    Token::UsedTicket,
    Token::Ended,
    Token::Session,
    Token::Tools,
    Token::Reads,
    Token::Writes,
    Token::Removed,
];

/// Where a token is in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried {
    /// `Authorization: Bearer`
    Bearer,
    /// `Authorization: Basic`, as a browser sends it that was given a name and a password.
    Basic,
    /// In the address, where logs and histories have it.
    Query,
    /// In a cookie, which a browser sends by itself.
    Cookie,
}

pub(super) const CARRIED: [Carried; 4] = [
    Carried::Bearer,
    Carried::Basic,
    Carried::Query,
    Carried::Cookie,
];

/// What a request has to be answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// 403, before anything was looked at.
    Foreign,
    /// 401, and nothing else.
    NoToken,
    /// 403: its client is known, and may not do this.
    Forbidden,
    /// 405.
    NoMethod,
    /// 415: a form can send it.
    NotJson,
    /// As its documentation says.
    Answered,
}

impl<'a> Try<'a> {
    /// Makes a request that comes from here, with the best token there is.
    pub(super) fn own(route: &'a Route, own: &Own) -> Self {
        Self {
            route,
            method: "GET",
            hosts: vec![own.hosts[0].clone()],
            origin: None,
            site: None,
            media: MEDIA[0],
            token: Token::Session,
            carried: Carried::Bearer,
        }
    }
}

impl Try<'_> {
    fn verdict(&self, own: &Own) -> Verdict {
        let here = |it: &String| own.hosts.contains(it);
        let is_own_host = self.hosts.len() == 1 && self.hosts.iter().all(here);
        let is_own_page = self.origin.as_ref().is_none_or(|it| {
            it.strip_prefix("http://")
                .is_some_and(|it| here(&it.to_owned()))
        });
        let is_own_site = matches!(self.site, None | Some("same-origin" | "none"));
        if !is_own_host || !is_own_page || !is_own_site {
            return Verdict::Foreign;
        }
        let Some(needs) = self.route.methods.get(self.means()) else {
            return Verdict::NoMethod;
        };
        if let Some(refused) = self.refused(*needs) {
            return refused;
        }
        let reads = self.route.reading.contains(self.method);
        if reads && !self.media.starts_with("application/json") {
            return Verdict::NotJson;
        }
        Verdict::Answered
    }

    /// Returns how its token is refused, if it does not do.
    fn refused(&self, needs: Needs) -> Option<Verdict> {
        let token = match self.carried {
            Carried::Bearer => self.token,
            _ => Token::None,
        };
        match (needs, token) {
            (Needs::Nothing | Needs::Ticket, _)
            | (_, Token::Session)
            | (Needs::Read, Token::Reads | Token::Writes)
            | (Needs::Write, Token::Writes) => None,
            (_, Token::Tools | Token::Reads | Token::Writes) => Some(Verdict::Forbidden),
            _ => Some(Verdict::NoToken),
        }
    }

    /// Returns the method that answers it.
    fn means(&self) -> &str {
        match self.method {
            "HEAD" => "GET",
            method => method,
        }
    }

    /// Whether it does what it says, if it is let through: that is tested elsewhere.
    pub(super) fn acts(&self, own: &Own) -> bool {
        let needs = self.route.methods.get(self.method);
        let changes = matches!(self.method, "POST" | "PUT" | "PATCH" | "DELETE");
        changes && needs != Some(&Needs::Ticket) && self.verdict(own) == Verdict::Answered
    }

    fn send(&self, own: &Own) -> Answer {
        let token = own.token(self.token).unwrap_or_default();
        let target = match self.carried {
            Carried::Query => {
                let target = &self.route.target;
                format!("{target}?token={token}&access_token={token}&t={token}")
            }
            _ => self.route.target.clone(),
        };
        let mut ask = Ask::new(own.opened.host(), self.method, &target);
        for host in &self.hosts {
            ask = ask.with("Host", host);
        }
        if let Some(origin) = &self.origin {
            ask = ask.with("Origin", origin);
        }
        if let Some(site) = self.site {
            ask = ask.with("Sec-Fetch-Site", site);
        }
        ask = match self.carried {
            Carried::Bearer if self.token != Token::None => ask.bearer(token),
            Carried::Basic => ask.basic(token),
            Carried::Cookie => {
                let cookies = format!("mcplexer={token}; token={token}; Authorization={token}");
                ask.with("Cookie", &cookies)
            }
            _ => ask,
        };
        // What it would do harm with, were it read; and what a form can send of it.
        let body =
            r#"{"confirm":"github-token","id":"evil","value":"evil","key":"evil","ticket":"evil"}"#;
        ask.body(self.media, body).send()
    }

    /// Tries it, and checks its answer.
    pub(super) fn check(&self, own: &Own) -> Verdict {
        let verdict = self.verdict(own);
        let answer = self.send(own);
        let what = format!("{self:?}");
        let status = answer.status;
        let needs = self.route.methods.get(self.means());
        match verdict {
            Verdict::Foreign => assert_eq!(status, 403, "{what}: {answer:?}"),
            Verdict::NoToken => assert_eq!(status, 401, "{what}: {answer:?}"),
            Verdict::Forbidden => assert_eq!(status, 403, "{what}: {answer:?}"),
            Verdict::NoMethod => assert!(matches!(status, 401 | 405), "{what}: {answer:?}"),
            Verdict::NotJson => assert_eq!(status, 415, "{what}: {answer:?}"),
            // It has no such ticket.
            Verdict::Answered if needs == Some(&Needs::Ticket) => {
                assert!(matches!(status, 401 | 422), "{what}: {answer:?}");
            }
            Verdict::Answered => assert!(
                matches!(status, 200..=204 | 400 | 404 | 409 | 422),
                "{what}: {answer:?}"
            ),
        }
        assert_no_permission(&answer, &what);
        if verdict != Verdict::Foreign {
            check_fields(&answer, &what);
        }
        if verdict != Verdict::Answered {
            let told = answer.everything();
            for name in ["github-token", "TOKEN\"", STORED] {
                assert!(!told.contains(name), "{name} in {what}: {told}");
            }
        }
        verdict
    }
}

/// What the requests are made of.
pub(super) struct Own {
    pub(super) opened: Opened,
    pub(super) hosts: Vec<String>,
    pub(super) session: String,
    ended: String,
    tools: String,
    reads: String,
    pub(super) writes: String,
    removed: String,
}

impl Own {
    pub(super) fn of(place: &Place) -> Self {
        let opened = place.ui();
        let (session, gone) = (opened.token(), place.ui());
        let ended = gone.token();
        assert_eq!(gone.asked(&ended, "DELETE", "/api/v1/session").status, 204);
        let client = |name: &str, api: &str| {
            let token = place.run(&["client", "add", name, "--api", api]);
            token.trim_end().to_owned()
        };
        let removed = client("removed", "write");
        let scopes = |token: &str| opened.asked(token, "GET", "/api/v1/scopes").status;
        // The gateway has seen it, and forgets it.
        assert_eq!(scopes(&removed), 200);
        place.run(&["client", "remove", "removed"]);
        assert_eq!(scopes(&removed), 401);
        Self {
            hosts: vec![opened.host().to_owned()],
            opened,
            session,
            ended,
            tools: client("tools", "none"),
            reads: client("reads", "read"),
            writes: client("writes", "write"),
            removed,
        }
    }

    /// Returns the tokens of clients that were not removed.
    pub(super) fn clients(&self) -> [&str; 3] {
        [&self.tools, &self.reads, &self.writes]
    }

    fn token(&self, token: Token) -> Option<&str> {
        Some(match token {
            Token::None => return None,
            Token::Garbage => "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            Token::UsedTicket => &self.opened.ticket,
            Token::Ended => &self.ended,
            Token::Session => &self.session,
            Token::Tools => &self.tools,
            Token::Reads => &self.reads,
            Token::Writes => &self.writes,
            Token::Removed => &self.removed,
        })
    }
}

/// Checks what every answer has to have, whatever it says.
fn check_fields(answer: &Answer, what: &str) {
    for (name, wanted) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(
            answer.field(name),
            Some(wanted),
            "{name} of {what}: {answer:?}"
        );
    }
    let policy = answer.field("content-security-policy").unwrap_or_default();
    let mut policy: Vec<_> = policy.split(';').map(str::trim).collect();
    policy.sort_unstable();
    let wanted = [
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "img-src 'self' data:",
        "script-src 'self'",
        "style-src 'self'",
    ];
    assert_eq!(policy, wanted, "{what}");
}

/// Nothing lets another origin read an answer, and nothing is kept in the browser.
fn assert_no_permission(answer: &Answer, what: &str) {
    for (name, _) in &answer.fields {
        let gives = name == "set-cookie" || name.starts_with("access-control-");
        assert!(!gives, "{what}: {answer:?}");
    }
}
