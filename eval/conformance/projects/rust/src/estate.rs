/// Somebody who sells houses.
pub struct Agent {
    pub name: String,
    pub model: String,
}

pub fn decoy() -> Agent {
    Agent {
        name: "decoy".into(),
        model: "decoy-model".into(),
    }
}
