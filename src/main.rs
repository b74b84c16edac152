//! The operator.
fn main() {
    for d in technical_user_operator::api::definitions() {
        println!("---\n{}", serde_saphyr::to_string(&d).unwrap());
    }
}
