//! Every reason that a condition or an event can give. Each has its paragraph in `docs/reasons.md`.

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Why a condition is as it is. The text is the variant's name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[doc = $doc])+ $name,)+ }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Reason] = &[$(Reason::$name),+];

            /// The reason as conditions and events spell it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Reason::$name => stringify!($name)),+ }
            }
        }
    };
}

reasons! {
    // TechnicalUser: in order, or in progress.
    /// The credential was verified and published.
    Ready,
    /// A user is being created.
    Creating,
    /// The resource waits for a search of the user list.
    Searching,
    /// The portal may still carry out an earlier create.
    SettlingAttempt,
    /// The portal's user list hides users of equal names.
    ListIncomplete,
    /// The wallet service has not answered yet.
    Pending,
    /// The wallet service has not answered for a long time.
    PendingTooLong,
    /// The user exists and is active.
    UserActive,
    /// A token was obtained.
    TokenObtained,
    /// The outputs were written.
    OutputsWritten,
    /// This step is not reached yet.
    NotYet,
    /// The resource is under deletion.
    Deleting,

    // TechnicalUser: not in order.
    /// This version of the operator cannot read the stored resource.
    InvalidResource,
    /// There is no such Portal.
    PortalNotFound,
    /// The Portal cannot be used at the moment.
    PortalNotReady,
    /// The Portal is under deletion.
    PortalDeleting,
    /// The deletion login (`deleteAuth`) cannot be used at the moment.
    DeletionLoginFailing,
    /// The Portal is suspended.
    PortalSuspended,
    /// The Portal's `access` does not grant this.
    AccessDenied,
    /// The target is the operator's own login.
    OperatorLogin,
    /// The portal does not offer a requested role.
    RoleNotOffered,
    /// Internal and External roles are requested together.
    RolesMixed,
    /// Only providers may use a requested role.
    RoleProviderOnly,
    /// The user does not have every requested role.
    RolesMissing,
    /// The portal created no user.
    NoUserCreated,
    /// The portal refused to create the user.
    CreateRefused,
    /// A status or an annotation names a generation that no resource reaches.
    GenerationsExhausted,
    /// A permission of the login is missing.
    PermissionMissing,
    /// The login belongs to another company than before.
    CompanyChanged,
    /// The token of the Portal's login names no company.
    CompanyUnknown,
    /// The token of the Portal's login names several companies, and the Portal chooses none.
    CompanyAmbiguous,
    /// The Portal leads to another address than before.
    PortalMoved,
    /// A copy of this installation in another cluster created the user.
    TakenFromOtherCluster,
    /// The user has the mark of another resource.
    MarkedByOther,
    /// Nothing proves that the user was created for this resource.
    UserNotOurs,
    /// The user is no longer in the portal.
    UserGone,
    /// The user disappeared together with many others.
    LossSuspected,
    /// The user's client is missing in the identity provider.
    IdentityLost,
    /// The user is not active.
    UserInactive,
    /// No such user is in the portal (yet).
    UserNotFound,
    /// More than one user has the name.
    UserAmbiguous,
    /// The user belongs to another `TechnicalUser`.
    ManagedElsewhere,
    /// The portal shows no credential for the user, or no token endpoint.
    CredentialNotShown,
    /// The token endpoint refuses the credential.
    CredentialRefused,
    /// The token endpoint cannot be reached.
    TokenEndpointUnreachable,
    /// A Secret with that name was not written for this resource.
    SecretNotOurs,
    /// The Secret cannot be written.
    SecretNotWritable,
    /// The portal answered with an error.
    PortalError,
    /// The Kubernetes API refused or failed.
    KubernetesError,
    /// A reconcile did not end in time.
    ReconcileTimeout,
    /// A fault of this program ended a reconcile.
    InternalError,
    /// The user can be neither deleted nor revoked.
    Undeletable,

    // Events.
    /// A user was created.
    UserCreated,
    /// A credential was published.
    CredentialPublished,
    /// A credential that was changed in the portal was published.
    CredentialChanged,
    /// A Secret was written again.
    SecretHealed,
    /// A user was deleted.
    UserDeleted,
    /// A user was revoked.
    UserRevoked,
    /// A user is kept in the portal.
    UserRetained,
    /// A duplicate was deleted.
    DuplicateRemoved,
    /// A request by annotation is not carried out.
    RequestIgnored,
    /// A status could not be written.
    StatusNotWritten,

    // Portal.
    /// The portal answers, and the login may create users.
    LoggedIn,
    /// The login Secret is missing.
    LoginSecretMissing,
    /// The login Secret lacks a key.
    LoginSecretIncomplete,
    /// The identity provider refuses the login.
    LoginRefused,
    /// A renewed refresh token could not be stored.
    TokenNotStored,
    /// The certificates of `tls.caBundle` cannot be used.
    CaBundleInvalid,
    /// Certificates of `tls.caBundle` cannot be used, others can.
    UnusableCertificates,
    /// The Portal sets `insecureHttp`, and the operator permits plain http.
    InsecureHttpAllowed,
    /// Plain http is not permitted.
    InsecureHttpRefused,
    /// The address is not the portal's backend.
    NotThePortalBackend,
    /// The address in `tokenUrl` is no token endpoint.
    NotATokenEndpoint,
    /// The portal or its identity provider does not answer.
    Unreachable,
    /// The TLS connection is refused.
    TlsFailed,
    /// The portal answers with errors.
    PortalFailing,
    /// The login belongs to another company than `bpn` says.
    WrongCompany,
    /// Many users disappeared at once.
    UsersVanished,
    /// The Portal is suspended.
    Suspended,
    /// `TechnicalUser`s still use the Portal.
    InUse,
    /// The login may delete users.
    MayDelete,
    /// The login may not delete users.
    MayNotDelete,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_spelled_as_the_api_conventions_require() {
        for reason in Reason::ALL {
            let text = reason.as_str();
            assert!(
                text.chars().all(char::is_alphanumeric) && text.starts_with(char::is_uppercase),
                "{text}"
            );
        }
    }
}
