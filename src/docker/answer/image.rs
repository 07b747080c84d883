//! What docker says of images. Does not know which are wanted.

use super::or_default;
use crate::docker::SeenImage;
use crate::name::Image;
use crate::name::ImageId;
use crate::spec::ImageFacts;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Which of `answers` each of `wanted` names: docker also finds images by the beginning of their id.
pub(super) fn asked_for(wanted: &BTreeSet<Image>, answers: &[ImageAnswer]) -> BTreeMap<Image, SeenImage> {
    let mut by_reference = BTreeMap::new();
    for answer in answers {
        let ImageAnswer(_, tags, digests, _) = answer;
        for reference in tags.iter().chain(digests).flatten() {
            if let Ok(reference) = Image::parse(reference.as_str()) {
                by_reference.insert(reference.canonical(), answer);
            }
        }
    }
    let seen = |image: &Image| Some((image.clone(), by_reference.get(&image.canonical())?.seen()));
    wanted.iter().filter_map(seen).collect()
}

/// Id, tags, digests, config.
#[derive(Deserialize)]
pub(super) struct ImageAnswer(String, Option<Vec<String>>, Option<Vec<String>>, Option<ImageConfig>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImageConfig {
    #[serde(default, deserialize_with = "or_default")]
    volumes: BTreeMap<String, IgnoredAny>,
    #[serde(default, deserialize_with = "or_default")]
    exposed_ports: BTreeMap<String, IgnoredAny>,
    healthcheck: Option<Healthcheck>,
    #[serde(default, deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Healthcheck {
    #[serde(default, deserialize_with = "or_default")]
    test: Vec<String>,
}

/// The labels that images carry themselves, by their ids.
pub(super) fn labels(answers: &[ImageAnswer]) -> BTreeMap<ImageId, BTreeMap<String, String>> {
    let labels = answers.iter().filter_map(|ImageAnswer(id, _, _, config)| {
        let labels = config.as_ref().map(|config| config.labels.clone()).unwrap_or_default();
        Some((ImageId::parse(id.as_str()).ok()?, labels))
    });
    labels.collect()
}

/// What `answers` are called, whatever of it docker would leave out.
pub(super) fn references(answers: &[ImageAnswer]) -> BTreeSet<String> {
    let tags =
        answers.iter().flat_map(|ImageAnswer(_, tags, digests, _)| tags.iter().chain(digests).flatten());
    tags.filter_map(|reference| Some(Image::parse(reference.as_str()).ok()?.canonical())).collect()
}

impl ImageAnswer {
    fn seen(&self) -> SeenImage {
        let ImageAnswer(id, _, _, config) = self;
        SeenImage {
            id: ImageId::parse(id.as_str()).ok(),
            facts: config.as_ref().map(ImageConfig::facts).unwrap_or_default(),
        }
    }
}

impl ImageConfig {
    fn facts(&self) -> ImageFacts {
        let port = |port: &String| if port.contains('/') { port.clone() } else { format!("{port}/tcp") };
        ImageFacts {
            volumes: self.volumes.keys().cloned().collect(),
            ports: self.exposed_ports.keys().map(port).collect(),
            healthcheck: self
                .healthcheck
                .as_ref()
                .and_then(|check| check.test.first())
                .is_some_and(|how| how != "NONE"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    fn image(text: &str) -> Image {
        Image::parse(text).expect("an image")
    }

    #[test]
    fn an_image_that_docker_finds_by_the_beginning_of_its_id_is_not_the_one_asked_for() {
        let answer = r#"["sha256:beef", ["redis:7"], null, null]"#;
        let answers: Vec<ImageAnswer> = read("image inspect", answer).expect("docker's form");
        let wanted = ["beef", "library/redis:7"].map(image).into();
        assert_eq!(asked_for(&wanted, &answers).into_keys().collect::<Vec<_>>(), [image("library/redis:7")]);
    }

    #[test]
    fn an_image_is_found_by_its_digest() {
        let digest = format!("sha256:{}", "1f".repeat(32));
        let answer = format!(r#"["sha256:00", [], ["redis@{digest}"], null]"#);
        let answers: Vec<ImageAnswer> = read("image inspect", &answer).expect("docker's form");
        let wanted = BTreeSet::from([image(&format!("redis:7@{digest}"))]);
        assert_eq!(asked_for(&wanted, &answers).len(), 1);
    }
}
