//! Every reason that a condition or an event can give. Each has its paragraph in `docs/reasons.md`.

/// What a reason means for its report. Each reason names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    /// The operator continues automatically, and nothing is wrong: no Warning event is due.
    Progress,
    /// Another object, applied at the same time, may cure it: it is not `Stalled` at first.
    MayArrive,
    /// A refused create can report it.
    CreateRefused,
    /// It is in doubt which company the login belongs to.
    CompanyInDoubt,
    /// None of these.
    Plain,
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident: $course:ident,)+) => {
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

            const fn course(self) -> Course {
                match self { $(Reason::$name => Course::$course),+ }
            }
        }
    };
}

impl Reason {
    /// The reason that a condition spells like this.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == text)
    }

    /// Whether the operator continues automatically, and nothing is wrong.
    #[must_use]
    pub fn is_progress(self) -> bool {
        self.course() == Course::Progress
    }

    /// Whether another object, applied at the same time, may cure it.
    #[must_use]
    pub fn may_appear(self) -> bool {
        self.course() == Course::MayArrive
    }

    /// Whether a refused create can report it.
    #[must_use]
    pub fn is_create_refused(self) -> bool {
        self.course() == Course::CreateRefused
    }

    /// Whether it is in doubt which company the login belongs to.
    #[must_use]
    pub fn is_company_in_doubt(self) -> bool {
        self.course() == Course::CompanyInDoubt
    }
}

reasons! {
    // TechnicalUser: in order, or in progress.
    /// The credential was verified and published.
    Ready: Plain,
    /// A user is being created.
    Creating: Progress,
    /// The resource waits for a search of the user list.
    Searching: Progress,
    /// The portal may still carry out an earlier create.
    SettlingAttempt: Progress,
    /// The portal's user list hides users of equal names.
    ListIncomplete: Plain,
    /// The secret of the user is being reset.
    Rotating: Progress,
    /// The wallet service has not answered yet.
    Pending: Progress,
    /// The wallet service has not answered for a long time.
    PendingTooLong: Plain,
    /// The user exists and is active.
    UserActive: Plain,
    /// A token was obtained.
    TokenObtained: Plain,
    /// The outputs were written.
    OutputsWritten: Plain,
    /// This step is not reached yet.
    NotYet: Progress,
    /// The resource is under deletion.
    Deleting: Progress,
    /// An annotation prevents the deletion.
    DeletionPrevented: Plain,

    // TechnicalUser: not in order.
    /// This version of the operator cannot read the stored resource.
    InvalidResource: Plain,
    /// There is no such Portal.
    PortalNotFound: MayArrive,
    /// The Portal cannot be used at the moment.
    PortalNotReady: Plain,
    /// The Portal is under deletion.
    PortalDeleting: Plain,
    /// The deletion login (`deleteAuth`) cannot be used at the moment.
    DeletionLoginFailing: Plain,
    /// The Portal is suspended.
    PortalSuspended: Plain,
    /// The Portal's `access` does not grant this.
    AccessDenied: MayArrive,
    /// The target is the operator's own login.
    OperatorLogin: Plain,
    /// The portal does not offer a requested role.
    RoleNotOffered: CreateRefused,
    /// Internal and External roles are requested together.
    RolesMixed: Plain,
    /// Only providers may use a requested role.
    RoleProviderOnly: Plain,
    /// The user does not have every requested role.
    RolesMissing: Plain,
    /// The portal created no user.
    NoUserCreated: CreateRefused,
    /// The portal refused to create the user.
    CreateRefused: CreateRefused,
    /// A status or an annotation names a generation that no resource reaches.
    GenerationsExhausted: Plain,
    /// A permission of the login is missing.
    PermissionMissing: CreateRefused,
    /// The login belongs to another company than before.
    CompanyChanged: CompanyInDoubt,
    /// The token of the Portal's login names no company.
    CompanyUnknown: CompanyInDoubt,
    /// The token of the Portal's login names several companies, and the Portal chooses none.
    CompanyAmbiguous: Plain,
    /// The Portal leads to another address than before.
    PortalMoved: Plain,
    /// A copy of this installation in another cluster created the user.
    TakenFromOtherCluster: Plain,
    /// The user has the mark of another resource.
    MarkedByOther: Plain,
    /// Nothing proves that the user was created for this resource.
    UserNotOurs: Plain,
    /// The user is no longer in the portal.
    UserGone: Plain,
    /// The user disappeared together with many others.
    LossSuspected: Plain,
    /// The user's client is missing in the identity provider.
    IdentityLost: Plain,
    /// The user is not active.
    UserInactive: Plain,
    /// No such user is in the portal (yet).
    UserNotFound: MayArrive,
    /// The provider of an offer has not created the user or not activated the subscription yet.
    WaitingForProvider: Progress,
    /// More than one user has the name.
    UserAmbiguous: Plain,
    /// The user belongs to another `TechnicalUser`.
    ManagedElsewhere: Plain,
    /// The portal shows no credential for the user, or no token endpoint.
    CredentialNotShown: Plain,
    /// The token endpoint refuses the credential.
    CredentialRefused: Plain,
    /// The token endpoint cannot be reached.
    TokenEndpointUnreachable: Plain,
    /// What is in the place of an output was not written for this resource.
    OutputNotOurs: Plain,
    /// The output cannot be written.
    OutputNotWritable: Plain,
    /// A deletion leaves an output where it is, which the operator cannot remove.
    OutputLeft: Plain,
    /// `creationPolicy: Merge` needs a Secret that exists.
    MergeTargetMissing: MayArrive,
    /// A Secret of another owner has a key already that an output would add.
    KeyTaken: Plain,
    /// The content of an output cannot be built.
    OutputInvalid: MayArrive,
    /// No workload has to be restarted.
    NoRestartDue: Plain,
    /// A workload is to be restarted in a moment.
    RestartPending: Progress,
    /// A workload was restarted, and its roll-out is in progress.
    RollingOut: Progress,
    /// The roll-out of a workload does not end.
    RollOutStuck: Plain,
    /// A workload of `spec.restart` does not exist.
    WorkloadNotFound: Plain,
    /// A workload of `spec.restart` does not permit its restart.
    RestartNotPermitted: Plain,
    /// A restart would not replace the pods of a workload.
    RestartNotPossible: Plain,
    /// The operator lacks the right to restart workloads.
    RestartForbidden: Plain,
    /// The portal answered with an error.
    PortalError: CreateRefused,
    /// The Kubernetes API refused or failed.
    KubernetesError: Plain,
    /// A reconcile did not end in time.
    ReconcileTimeout: Plain,
    /// A fault of this program ended a reconcile.
    InternalError: Plain,
    /// The user can be neither deleted nor revoked.
    Undeletable: Plain,

    // Events.
    /// A user was created.
    UserCreated: Plain,
    /// A credential was published.
    CredentialPublished: Plain,
    /// A credential that was changed in the portal was published.
    CredentialChanged: Plain,
    /// The content of an output changed, and its credential did not.
    OutputChanged: Plain,
    /// An output was written again.
    OutputHealed: Plain,
    /// A user was deleted.
    UserDeleted: Plain,
    /// A user was revoked.
    UserRevoked: Plain,
    /// A user is kept in the portal.
    UserRetained: Plain,
    /// A duplicate was deleted.
    DuplicateRemoved: Plain,
    /// A user was taken over that the operator did not create.
    UserAdopted: Plain,
    /// A user that was taken over has other roles than the spec names.
    RolesDiffer: Plain,
    /// A user is not taken over, because it has another owner.
    OwnedByOther: Plain,
    /// A user was deleted that a successor had replaced.
    PredecessorRemoved: Plain,
    /// A secret was reset to publish another one.
    SecretReset: Plain,
    /// The replacement of a credential begins.
    RotationStarted: Plain,
    /// Another credential has replaced the former one.
    RotationCompleted: Plain,
    /// A workload was restarted.
    WorkloadRestarted: Plain,
    /// A request by annotation is not carried out.
    RequestIgnored: Plain,
    /// The portal cannot reset the secret of this kind of user.
    ResetNotPossible: Plain,
    /// A user is not replaced periodically, because the login may not delete users.
    RotationNeedsDelete: Plain,
    /// A window in which rotations may begin never opens.
    WindowNeverOpens: Plain,
    /// The spec names other roles than the user was created with, and it is being replaced.
    RolesChanged: Progress,
    /// A role was taken away, and the former user could be neither deleted nor reset.
    RoleChangeNeedsDelete: Plain,
    /// The roles are to be changed, and the strategy excludes a replacement of the user.
    RoleChangeNeedsReplace: Plain,
    /// A user that serves is not replaced, because an entry in Vault has the same alias for each user.
    AliasFixed: Plain,
    /// A status could not be written.
    StatusNotWritten: Plain,

    // Portal.
    /// The portal answers, and the login may create users.
    LoggedIn: Plain,
    /// The login Secret is missing.
    LoginSecretMissing: MayArrive,
    /// The login Secret lacks a key.
    LoginSecretIncomplete: MayArrive,
    /// The identity provider refuses the login.
    LoginRefused: MayArrive,
    /// A renewed refresh token could not be stored.
    TokenNotStored: Plain,
    /// The certificates of `tls.caBundle` cannot be used.
    CaBundleInvalid: MayArrive,
    /// Certificates of `tls.caBundle` cannot be used, others can.
    UnusableCertificates: Plain,
    /// The Portal sets `insecureHttp`, and the operator permits plain http.
    InsecureHttpAllowed: Plain,
    /// Plain http is not permitted.
    InsecureHttpRefused: Plain,
    /// The portal names another token endpoint for internal users than the Portal.
    TokenUrlDiffers: Plain,
    /// The portal shows other values of the data space than the Portal.
    DataspaceDiffers: Plain,
    /// The address is not the portal's backend.
    NotThePortalBackend: Plain,
    /// The address in `tokenUrl` is no token endpoint.
    NotATokenEndpoint: Plain,
    /// The portal or its identity provider does not answer.
    Unreachable: Plain,
    /// The TLS connection is refused.
    TlsFailed: Plain,
    /// The portal answers with errors.
    PortalFailing: Plain,
    /// The login belongs to another company than `bpn` says.
    WrongCompany: CompanyInDoubt,
    /// Many users disappeared at once.
    UsersVanished: Plain,
    /// The Portal, or the `TechnicalUser`, is suspended.
    Suspended: Progress,
    /// `TechnicalUser`s still use the Portal.
    InUse: Plain,
    /// The login may delete users.
    MayDelete: Plain,
    /// The login may not delete users.
    MayNotDelete: Plain,

    // Vault.
    /// Vault answers, and the login may write where `access` permits entries.
    VaultReady: Plain,
    /// Vault is sealed.
    VaultSealed: Plain,
    /// Vault is not initialized.
    VaultNotInitialized: Plain,
    /// The server is a standby that does not forward requests.
    VaultStandby: Plain,
    /// What answers at the address is no Vault.
    NotVault: Plain,
    /// There is no secrets engine at the mount.
    MountNotFound: MayArrive,
    /// The secrets engine is not KV version 2.
    NotKvVersion2: MayArrive,
    /// The policies of the login lack a capability.
    PolicyTooNarrow: MayArrive,
    /// The operator may not request tokens of its own `ServiceAccount`.
    TokenRequestDenied: MayArrive,
    /// The role in Vault accepts tokens for another audience.
    AudienceNotChecked: MayArrive,
    /// Vault, or a proxy before it, limits the requests.
    VaultThrottled: Plain,
    /// Vault answers with errors.
    VaultFailing: Plain,

    // Entries in a Vault.
    /// The Vault does not exist.
    VaultNotFound: MayArrive,
    /// The Vault cannot be used at the moment.
    VaultNotReady: MayArrive,
    /// The path of an output is not below the prefix of its namespace.
    PathNotAllowed: MayArrive,
    /// An entry of a deleted resource is left in the Vault.
    EntryAbandoned: Plain,
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

    #[test]
    fn a_reason_is_found_by_its_text() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
        }
        assert_eq!(Reason::parse("Other"), None);
    }

    #[test]
    fn what_goes_on_by_itself_is_no_trouble() {
        for (reason, progress) in [
            (Reason::Creating, true),
            (Reason::Searching, true),
            (Reason::RestartPending, true),
            (Reason::PermissionMissing, false),
            (Reason::OutputNotOurs, false),
        ] {
            assert_eq!(reason.is_progress(), progress, "{reason:?}");
        }
    }
}
