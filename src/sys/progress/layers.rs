//! How far a pull is, from the lines that docker says when its output is no terminal. Knows no other commands.

use std::collections::BTreeMap;

/// The layers of an image while it is pulled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers(BTreeMap<String, Layer>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Waiting,
    Loaded,
    Here,
}

impl Layers {
    /// Takes note of a line; whether another layer is wholly here since.
    pub fn read(&mut self, line: &str) -> bool {
        let Some((id, said)) = line.split_once(": ") else { return false };
        let layer = match said.trim_end() {
            "Pulling fs layer" | "Waiting" => Layer::Waiting,
            "Verifying Checksum" | "Download complete" => Layer::Loaded,
            "Pull complete" | "Already exists" => Layer::Here,
            _ => return false,
        };
        self.0.insert(id.to_owned(), layer) != Some(layer) && layer == Layer::Here
    }

    /// In words, as in "3 of 6 layers"; nothing before docker has named one.
    pub fn words(&self) -> Option<String> {
        let count = |is: &[Layer]| self.0.values().filter(|layer| is.contains(layer)).count();
        match (self.0.len(), count(&[Layer::Here]), count(&[Layer::Loaded])) {
            (0, ..) => None,
            (all, here, 0) => Some(format!("{here} of {all} layers")),
            (all, here, loaded) => Some(format!("{here} of {all} layers, {loaded} more loaded")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_is_as_far_as_its_layers() {
        let mut layers = Layers::default();
        let mut told = Vec::new();
        for line in [
            "7-alpine: Pulling from library/redis",
            "4abcf2066143: Already exists",
            "dcb5cb2dbf1a: Pulling fs layer",
            "1cd1e2c1bd42: Pulling fs layer",
            "1cd1e2c1bd42: Waiting",
            "dcb5cb2dbf1a: Download complete",
            "dcb5cb2dbf1a: Pull complete",
            "Digest: sha256:1234",
            "Status: Downloaded newer image for redis:7-alpine",
        ] {
            told.push((layers.read(line), layers.words()));
        }
        let words: Vec<&str> = told.iter().map(|(_, words)| words.as_deref().unwrap_or("-")).collect();
        assert_eq!(
            words,
            [
                "-",
                "1 of 1 layers",
                "1 of 2 layers",
                "1 of 3 layers",
                "1 of 3 layers",
                "1 of 3 layers, 1 more loaded",
                "2 of 3 layers",
                "2 of 3 layers",
                "2 of 3 layers"
            ]
        );
        let grows: Vec<bool> = told.iter().map(|(grows, _)| *grows).collect();
        assert_eq!(grows, [false, true, false, false, false, false, true, false, false]);
    }
}
