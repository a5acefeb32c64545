//! Which permission each route asks for: one table, and a route that is not in it is refused to everybody.
//!
//! A request's rule is found by its method and path before it is routed, and compared with the route that answered it
//! afterwards; [`gate`](super::gate) does both.

use std::sync::LazyLock;

use actix_web::dev::ResourceDef;
use actix_web::http::Method;

use crate::access::Permission;

/// What a route asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The method.
    pub method: Method,
    /// The route as actix has it.
    pub pattern: &'static str,
    /// `None`: everybody, also without a token.
    pub permission: Option<Permission>,
    /// What the audit log calls it.
    pub kind: &'static str,
    /// Whether the audit log has a line for each time that it was let in. Refusals have one, up to a number each minute.
    pub audited: bool,
    /// What it takes from its caller's allowance; a look at a study is 1.
    pub cost: u32,
}

const SEARCH: Option<Permission> = Some(Permission::Search);
const COHORT: Option<Permission> = Some(Permission::Cohort);
const KEEP: Option<Permission> = Some(Permission::Keep);
const ADMIN: Option<Permission> = Some(Permission::Admin);

/// Where Prometheus asks; on loopback it needs no token.
pub const METRICS: &str = "/metrics";

/// The table.
pub const RULES: &[Rule] = &[
    looks(Method::GET, "/healthz", None, "health", 0),
    looks(Method::GET, "/readyz", None, "health", 0),
    looks(Method::GET, METRICS, ADMIN, "metrics", 1),
    looks(Method::GET, "/api/v1/openapi.json", None, "openapi", 1),
    looks(Method::GET, "/api/v1/session", None, "session", 1),
    noted(Method::POST, "/api/v1/session", None, "sign-in", 1),
    noted(Method::DELETE, "/api/v1/session", None, "sign-out", 1),
    looks(Method::GET, "/api/v1/status", SEARCH, "status", 1),
    looks(Method::GET, "/api/v1/models", SEARCH, "models", 1),
    noted(Method::POST, "/api/v1/search", SEARCH, "search", 2),
    noted(Method::POST, "/api/v1/search/films", SEARCH, "search", 10),
    noted(Method::POST, "/api/v1/facets", SEARCH, "facets", 2),
    noted(Method::GET, "/api/v1/studies/{key}", SEARCH, "study", 1),
    noted(Method::GET, "/api/v1/studies/{key}/timeline", SEARCH, "timeline", 1),
    noted(Method::POST, "/api/v1/studies/{key}/similar", SEARCH, "search", 2),
    noted(Method::POST, "/api/v1/studies/delete", KEEP, "delete", 2),
    noted(Method::GET, "/api/v1/images/{key}", SEARCH, "film", 1),
    noted(Method::GET, "/api/v1/images/{key}/thumbnail", SEARCH, "thumbnail", 1),
    noted(Method::GET, "/api/v1/images/{key}/window", SEARCH, "film", 2),
    noted(Method::POST, "/api/v1/images/{key}/heatmap", SEARCH, "heat map", 10),
    noted(Method::GET, "/api/v1/images/{key}/findings", SEARCH, "findings", 2),
    noted(Method::GET, "/api/v1/cohorts", COHORT, "cohorts", 1),
    noted(Method::POST, "/api/v1/cohorts", COHORT, "cohort create", 10),
    noted(Method::GET, "/api/v1/cohorts/{name}", COHORT, "cohort", 1),
    noted(Method::DELETE, "/api/v1/cohorts/{name}", COHORT, "cohort delete", 1),
    noted(Method::GET, "/api/v1/cohorts/{name}/studies", COHORT, "cohort studies", 1),
    noted(Method::POST, "/api/v1/cohorts/{name}/add", COHORT, "cohort add", 10),
    noted(Method::POST, "/api/v1/cohorts/{name}/remove", COHORT, "cohort remove", 10),
    noted(Method::POST, "/api/v1/cohorts/{name}/combine", COHORT, "cohort combine", 10),
    noted(Method::POST, "/api/v1/cohorts/{name}/verify", COHORT, "cohort verify", 10),
    noted(Method::GET, "/api/v1/cohorts/{name}/export", COHORT, "export", 10),
    noted(Method::GET, "/api/v1/cohorts/{name}/embeddings", COHORT, "embeddings", 10),
    noted(Method::GET, "/api/v1/map", COHORT, "map", 10),
    looks(Method::GET, "/api/v1/jobs", KEEP, "jobs", 1),
    noted(Method::POST, "/api/v1/jobs", KEEP, "job", 10),
    looks(Method::GET, "/api/v1/jobs/{id}", KEEP, "jobs", 1),
    noted(Method::DELETE, "/api/v1/jobs/{id}", KEEP, "job stop", 1),
    looks(Method::GET, "/api/v1/jobs/{id}/events", KEEP, "jobs", 1),
];

/// Shows nothing of a patient and changes nothing.
const fn looks(
    method: Method,
    pattern: &'static str,
    permission: Option<Permission>,
    kind: &'static str,
    cost: u32,
) -> Rule {
    Rule { method, pattern, permission, kind, audited: false, cost }
}

/// The audit log has a line for each.
const fn noted(
    method: Method,
    pattern: &'static str,
    permission: Option<Permission>,
    kind: &'static str,
    cost: u32,
) -> Rule {
    Rule { method, pattern, permission, kind, audited: true, cost }
}

/// What the table says of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// This.
    Rule(&'static Rule),
    /// The path is there, with these methods only.
    OtherMethods(Vec<&'static Method>),
    /// Nothing.
    Nothing,
}

/// The patterns, ready to be compared; in the order of [`RULES`].
static PATTERNS: LazyLock<Vec<ResourceDef>> =
    LazyLock::new(|| RULES.iter().map(|rule| ResourceDef::new(rule.pattern)).collect());

/// Looks a request up.
pub fn find(method: &Method, path: &str) -> Found {
    let fitting =
        || RULES.iter().zip(PATTERNS.iter()).filter(|(_, pattern)| pattern.is_match(path)).map(|(rule, _)| rule);
    if let Some(rule) = fitting().find(|rule| rule.method == method) {
        return Found::Rule(rule);
    }
    match fitting().map(|rule| &rule.method).collect::<Vec<_>>() {
        methods if methods.is_empty() => Found::Nothing,
        methods => Found::OtherMethods(methods),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path that fits a pattern.
    fn example(pattern: &str) -> String {
        let part = |part: &str| if part.starts_with('{') { "x".to_owned() } else { part.to_owned() };
        pattern.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    #[test]
    fn each_rule_finds_itself_and_no_two_fit_one_request() {
        for rule in RULES {
            assert_eq!(find(&rule.method, &example(rule.pattern)), Found::Rule(rule), "{}", rule.pattern);
            let fitting = RULES.iter().filter(|other| {
                other.method == rule.method && ResourceDef::new(other.pattern).is_match(&example(rule.pattern))
            });
            assert_eq!(fitting.count(), 1, "{} {}", rule.method, rule.pattern);
            // a literal part of one must not fit the variable part of another
            let literal = ResourceDef::new(rule.pattern);
            for other in RULES.iter().filter(|other| other.method == rule.method && *other != rule) {
                assert!(!literal.is_match(&example(other.pattern)), "{} and {}", rule.pattern, other.pattern);
            }
        }
    }

    #[test]
    fn unknown_paths_and_methods_have_no_rule() {
        assert_eq!(find(&Method::GET, "/api/v1/search"), Found::OtherMethods(vec![&Method::POST]));
        assert_eq!(
            find(&Method::PUT, "/api/v1/session"),
            Found::OtherMethods(vec![&Method::GET, &Method::POST, &Method::DELETE])
        );
        for path in ["/api/v1/nothing", "/api/v1/studies/a/b", "/api/v1/status/", "/API/v1/status", "/", ""] {
            assert_eq!(find(&Method::GET, path), Found::Nothing, "{path}");
        }
    }

    #[test]
    fn only_what_shows_nothing_of_patients_is_open() {
        for rule in RULES.iter().filter(|rule| rule.permission.is_none()) {
            let open = ["/healthz", "/readyz", "/api/v1/openapi.json", "/api/v1/session"];
            assert!(open.contains(&rule.pattern), "{}", rule.pattern);
        }
    }
}
