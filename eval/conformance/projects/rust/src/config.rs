pub const SHARED_MODEL: &str = "gpt-5";

#[derive(Debug, Clone, Copy)]
pub enum Model {
    Router,
}

impl Model {
    pub fn id(&self) -> &'static str {
        match self {
            Model::Router => "gpt-4.1",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Settings {
    pub summary_model: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            summary_model: "gpt-4.1-mini".to_string(),
        }
    }
}
