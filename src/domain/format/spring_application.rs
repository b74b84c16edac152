//! Format `SpringApplication`: the configuration file of a Spring application with an OAuth client.

use super::entry::{Entry, Named, Reader};
use super::error::FormatError;
use super::values::{Content, Values};
use super::yaml::{Node, document};
use super::{Options, spring};

const FILE: &str = "application.yml";

/// The format.
pub(super) const ENTRY: Entry = Entry {
    name: "SpringApplication",
    keys: &[FILE],
    optional: &[],
    needs: &[],
    uses: |_| Vec::new(),
    named: Named::Renamed,
    has_secret: true,
    reader: Reader {
        who: "a Spring Boot application, by a volume and `spring.config.import`",
        change: "after a restart",
        needs_restart: true,
    },
    render: spring_application,
    read_back: None,
};

fn spring_application(values: &Values, options: &Options) -> Result<Content, FormatError> {
    use Node::{Map, Text};
    let name = spring::registration(options)?;
    let [client_id, client_secret, token_url] = spring::values(values)?;
    let registration = vec![
        ("client-id", Text(client_id)),
        ("client-secret", Text(client_secret)),
        ("authorization-grant-type", Text("client_credentials")),
    ];
    let client = vec![
        ("registration", Map(vec![(name, Map(registration))])),
        ("provider", Map(vec![(name, Map(vec![("token-uri", Text(token_url))]))])),
    ];
    let oauth2 = vec![("oauth2", Map(vec![("client", Map(client))]))];
    let spring = vec![("spring", Map(vec![("security", Map(oauth2))]))];
    Ok(Content::from([(FILE.to_owned(), document(&spring))]))
}
