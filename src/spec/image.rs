//! What is known of an image.

/// What an image declares, which must be known before a container of it is planned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// The paths of its VOLUMEs, sorted.
    pub volumes: Vec<String>,
    /// The ports that it EXPOSEs, as `3000/tcp`, sorted.
    pub ports: Vec<String>,
    /// Whether it has a HEALTHCHECK.
    pub healthcheck: bool,
}
