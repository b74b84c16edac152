//! A simulator of the data-space portal, its identity provider and the wallet service.
