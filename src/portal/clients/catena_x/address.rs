//! The addresses of the Administration service. Its path is not configurable in any release; a reverse proxy compares
//! letter case, the service does not, so all requests use the spelling of this file.

use url::Url;

use crate::domain::user::UserId;

const BASE_PATH: &str = "/api/administration";

/// Where the portal's backend is.
#[derive(Clone)]
pub(super) struct Address {
    base: Url,
}

impl Address {
    /// Takes the backend's origin; a trailing `/api/administration` is accepted. The error is in words.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut base = Url::parse(text.trim()).map_err(|_| "it is no URL")?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none_or(str::is_empty) {
            return Err("it is no web address");
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err("it holds a user name or a password");
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err("it has a query or a fragment");
        }
        let path = base.path().trim_end_matches('/');
        if !path.is_empty() && !path.eq_ignore_ascii_case(BASE_PATH) {
            return Err(
                "it has a path: give the origin of the portal's backend, such as https://portal.example.org",
            );
        }
        base.set_path(BASE_PATH);
        Ok(Self { base })
    }

    pub(super) fn url(&self) -> &Url {
        &self.base
    }

    pub(super) fn error_messages(&self) -> Url {
        self.at(&["errormessage"])
    }

    pub(super) fn roles(&self) -> Url {
        self.at(&["serviceaccount", "user", "roles"])
    }

    /// The company's values of the data space (all versions since 2.0).
    pub(super) fn dataspace(&self) -> Url {
        self.at(&["companydata", "decentralidentity", "urls"])
    }

    pub(super) fn users(&self) -> Url {
        self.at(&["serviceaccount", "owncompany", "serviceaccounts"])
    }

    /// One page, counted from 0, of at most 15 entries. Both are sent always: before 2.6 a missing size is a 400.
    pub(super) fn page(&self, page: u32, size: u32) -> Url {
        let mut url = self.users();
        url.query_pairs_mut().append_pair("page", &page.to_string()).append_pair("size", &size.to_string());
        url
    }

    pub(super) fn user(&self, id: &UserId) -> Url {
        self.at(&["serviceaccount", "owncompany", "serviceaccounts", id.as_str()])
    }

    pub(super) fn reset(&self, id: &UserId) -> Url {
        self.at(&["serviceaccount", "owncompany", "serviceaccounts", id.as_str(), "resetCredentials"])
    }

    fn at(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Pushed one by one, so that an id is always one segment. A web address always has segments.
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_taken_with_and_without_the_services_path() {
        for text in [
            "https://portal.example.org",
            "https://portal.example.org/",
            " https://PORTAL.example.org/api/administration ",
            "https://portal.example.org/API/Administration/",
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(
                address.page(2, 15).as_str(),
                "https://portal.example.org/api/administration/serviceaccount/owncompany/serviceaccounts?page=2&size=15"
            );
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "portal.example.org",
            "ftp://portal.example.org",
            "https://user:pass@portal.example.org",
            "https://portal.example.org/portal",
            "https://portal.example.org/?a=b",
            "https://portal.example.org/#home",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_cannot_leave_its_segment() {
        let address = Address::parse("http://localhost:1").unwrap();
        assert_eq!(
            address.reset(&UserId::new("../a/b?c")).as_str(),
            "http://localhost:1/api/administration/serviceaccount/owncompany/serviceaccounts/..%2Fa%2Fb%3Fc/resetCredentials"
        );
    }
}
