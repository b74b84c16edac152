//! The catalogue of technical-user roles (portal contract, sections 4.4, 5.2 and 5.9).

use uuid::Uuid;

use crate::config::CompanyRole::{
    self, ActiveParticipant, AppProvider, OnboardingServiceProvider, Operator, ServiceProvider,
};
use crate::role_names as names;
use crate::version::Version;

/// A technical-user role.
#[derive(Clone, Debug)]
pub struct RoleDef {
    /// Its id.
    pub id: Uuid,
    /// Its name, unique in the catalogue.
    pub name: String,
    /// Its description in English and German; there is none in other languages.
    pub description: Option<String>,
    /// A company with one of these roles may give it.
    pub companies: Vec<CompanyRole>,
    /// A user with it is created by the wallet service.
    pub external: bool,
    /// It is dropped silently when a company makes a user for itself.
    pub provider_only: bool,
    /// Client roles of `Cl2-CX-Portal` that come with it.
    pub permissions: Vec<String>,
    /// Another client whose roles come with it, which then stands in the tokens' audience.
    pub other_audience: Option<String>,
    /// First version that has it.
    pub since: Version,
}

impl RoleDef {
    /// An ordinary role with a fresh id, for every company, without permissions.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            id: crate::random::uuid(),
            name: name.to_owned(),
            description: Some(format!("About {name}")),
            companies: vec![ActiveParticipant, AppProvider, ServiceProvider, Operator],
            external: false,
            provider_only: false,
            permissions: Vec::new(),
            other_audience: None,
            since: Version::V2_0,
        }
    }
}

const CONNECTOR_MANAGEMENT: &[&str] = &[
    "add_tech_user_management",
    "view_tech_user_management",
    "technical_roles_management",
    "add_connectors",
    "view_connectors",
    "modify_connectors",
    "delete_connectors",
];

const OFFER_MANAGEMENT: &[&str] = &[
    "view_tech_user_management",
    "view_subscription",
    "view_app_subscription",
    "activate_subscription",
    "decline_subscription",
    "app_management",
    "add_service_offering",
    "add_connectors",
];

const EVERY: &[CompanyRole] = &[Operator, ActiveParticipant, ServiceProvider, AppProvider];

struct Seed {
    name: &'static str,
    id: u128,
    companies: &'static [CompanyRole],
    permissions: &'static [&'static str],
}

const fn seed(
    name: &'static str,
    id: u128,
    companies: &'static [CompanyRole],
    permissions: &'static [&'static str],
) -> Seed {
    Seed { name, id, companies, permissions }
}

// Ids that the contract does not give end in the row's own number.
const SEEDS: &[Seed] = &[
    seed(names::IDENTITY_WALLET_MANAGEMENT, 0x6078_18be_4978_41f4_bf63_fa8d_2de5_1157, EVERY, &[]),
    seed(names::DATASPACE_DISCOVERY, 0x6078_18be_4978_41f4_bf63_fa8d_2de5_1165, EVERY, &["view_connectors"]),
    seed(names::SEMANTIC_MODEL_MANAGEMENT, 0x3940_f9b0_4393_4463_b659_1546_3098_557b, EVERY, &[]),
    seed("CX Membership Info", 0xec3a_3005_b59c_4319_a8eb_3228_014c_d6e7, EVERY, &["view_membership"]),
    seed(
        names::CONNECTOR_MANAGEMENT,
        0x6078_18be_4978_41f4_bf63_fa8d_2de5_1169,
        &[ActiveParticipant],
        CONNECTOR_MANAGEMENT,
    ),
    seed(
        names::OFFER_MANAGEMENT,
        0x6078_18be_4978_41f4_bf63_fa8d_2de5_1168,
        &[ServiceProvider, AppProvider],
        OFFER_MANAGEMENT,
    ),
    seed(
        "Registration External",
        0x34c4_2896_a003_4653_af8f_ba06_ca59_5752,
        &[Operator, OnboardingServiceProvider],
        &["configure_partner_registration"],
    ),
    seed(
        "Registration Internal",
        0x34c4_2896_a003_4653_af8f_ba06_ca59_5754,
        &[Operator],
        &["invite_new_partner"],
    ),
    seed(
        "BPDM Sharing Input Consumer",
        0xa6b6_a5b6_d7fe_42af_94ce_35c1_6b3a_e128,
        &[Operator, AppProvider, ServiceProvider],
        &[],
    ),
    seed(
        "BPDM Sharing Output Consumer",
        0x9956_fa8d_e454_49ca_a3b1_45e2_c106_fe59,
        &[Operator, AppProvider, ServiceProvider],
        &[],
    ),
    seed(names::BPDM_POOL_CONSUMER, 0x6078_18be_4978_41f4_bf63_fa6d_2de5_1262, &[Operator], &[]),
    seed("BPDM Sharing Input Manager", 0xec3a_3005_b59c_4319_a8eb_3228_984c_d6e5, &[Operator], &[]),
    seed("BPDM Pool Admin", 0x6078_18be_4978_41f4_bf63_0000_0000_0001, &[Operator], &[]),
    seed("BPDM Sharing Admin", 0x6078_18be_4978_41f4_bf63_0000_0000_0002, &[Operator], &[]),
    seed("BPDM Pool Sharing Consumer", 0x6078_18be_4978_41f4_bf63_0000_0000_0003, &[Operator], &[]),
    seed("BPDM Orchestrator Admin", 0x6078_18be_4978_41f4_bf63_0000_0000_0004, &[Operator], &[]),
    seed("BPDM Orchestrator Task Creator", 0x6078_18be_4978_41f4_bf63_0000_0000_0005, &[Operator], &[]),
    seed(
        "BPDM Orchestrator Clean And Sync Task Processor",
        0x6078_18be_4978_41f4_bf63_0000_0000_0006,
        &[Operator],
        &[],
    ),
    seed(
        "BPDM Orchestrator Clean Task Processor",
        0x6078_18be_4978_41f4_bf63_0000_0000_0007,
        &[Operator],
        &[],
    ),
    seed(
        "BPDM Orchestrator Pool Task Processor",
        0x6078_18be_4978_41f4_bf63_0000_0000_0008,
        &[Operator],
        &[],
    ),
];

/// The catalogue as the portal's own seed data and default configuration make it.
pub(crate) fn catalogue() -> Vec<RoleDef> {
    SEEDS
        .iter()
        .map(|seed| RoleDef {
            id: Uuid::from_u128(seed.id),
            companies: seed.companies.to_vec(),
            external: seed.name == names::IDENTITY_WALLET_MANAGEMENT,
            provider_only: matches!(
                seed.name,
                "BPDM Sharing Output Consumer" | names::BPDM_POOL_CONSUMER | "BPDM Sharing Input Manager"
            ),
            permissions: seed.permissions.iter().map(|&permission| permission.to_owned()).collect(),
            other_audience: match seed.name {
                names::IDENTITY_WALLET_MANAGEMENT => Some("Cl5-CX-Custodian".to_owned()),
                names::SEMANTIC_MODEL_MANAGEMENT => Some("Cl3-CX-Semantic".to_owned()),
                _ => None,
            },
            since: if seed.name == names::CONNECTOR_MANAGEMENT { Version::V2_5 } else { Version::V2_0 },
            ..RoleDef::new(seed.name)
        })
        .collect()
}
