//! How a model is trained.

use serde::{Deserialize, Serialize};

use super::augmentation::{Augmentation, table_or_name};

/// What a batch is scored by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Soft targets from the cosine of the labels (MedCLIP, section 3.3).
    #[default]
    SemanticMatching,
    /// Soft targets from the dot product of the labels, as in the authors' released code.
    SemanticMatchingDot,
    /// Each film with a sentence of its own report, every other one of the batch counts as wrong (CLIP). Needs pairs.
    InfoNce,
    /// Every film with every text on its own, by a sigmoid (SigLIP), with soft targets.
    Sigmoid,
}

/// Optimisation, objective and sampling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Images per step.
    pub image_batch: usize,
    /// Texts per step; images and texts are unpaired, so it may differ.
    pub text_batch: usize,
    /// Images and texts that go through the encoders at once; 0 = the whole batch. The loss sees the whole batch all the
    /// same: features are computed first without keeping their graph, and again with it (GradCache, Gao et al., RepL4NLP
    /// 2021). Memory follows `micro_batch`, time grows by a forward pass.
    pub micro_batch: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Decoupled weight decay; none on biases, norms, tables of positions and the logit scale.
    pub weight_decay: f64,
    /// Share of the run in which the learning rate rises from 0; then it falls along a cosine to 0.
    pub warmup: f64,
    /// Upper bound of the norm of the gradient of all parameters together.
    pub clip_norm: f64,
    /// Decay of the moving average of the weights, which is validated and saved in place of the weights; 0 = none.
    pub ema_decay: f64,
    /// What a batch is scored by.
    pub objective: Objective,
    /// Weight of the objective; at 0 films and texts are not compared, and what is left trains alone: with the auxiliary cross
    /// entropy that is supervised training.
    pub matching_weight: f64,
    /// Temperature of the soft targets: `softmax(cos(labels) / temperature)`. 1 is the paper ([`Training::faithful`]).
    pub label_temperature: f32,
    /// Whether an absent finding counts against a present one. If not, only what is present is compared, as in the paper.
    pub signed_labels: bool,
    /// Where labels are not signed: weight of the signed similarity of a text that denies something and states nothing. At 0, as in
    /// the paper, such a text is as near to a film that shows what it denies as to any other.
    pub denial_weight: f64,
    /// How many of the labels are compared, from the first on; 0 = all. The paper has the 14 findings and no sides.
    pub label_count: usize,
    /// Weight of true pairs (film and sentence of one report) in the targets; 0 = unpaired.
    pub pair_blending: f64,
    /// Share of the texts of a batch that are copies of others with the finding denied or the side swapped.
    pub hard_negatives: f64,
    /// At most one film of a patient in a batch.
    pub patient_aware: bool,
    /// Probability of flipping a film left to right, with the sides in its labels swapped.
    pub flip: f64,
    /// Weight of an auxiliary binary cross entropy on the known labels, from the features of both towers; 0 turns it off.
    pub auxiliary_weight: f64,
    /// Weight of the binary cross entropy of each film's known labels, asked as a search asks: is the film nearer to the texts of
    /// the batch that state a finding than to those that deny it? 0 turns it off.
    pub question_weight: f64,
    /// Share of each batch that is drawn class by class, so that rare labels are seen often; the rest is drawn evenly.
    pub balance: f64,
    /// Layers of the image encoder that don't train, from the first on: the stem counts as one, each block as one, and what
    /// follows the blocks as one. 0 = all train.
    pub frozen: usize,
    /// Variants of each film that are shown where layers are frozen; their outputs are kept in memory (`cache_mb`). The share
    /// `flip` of them is flipped.
    pub frozen_views: u32,
    /// Layers of the text encoder that don't train, from the first on, and with them the table of words. 0 = all train.
    pub frozen_text_layers: usize,
    /// Probability of leaving out a residual branch of the image encoder for one image (Huang et al., ECCV 2016),
    /// rising linearly from 0 at the first block to this at the last.
    pub drop_path: f64,
    /// Probability of replacing a token by `[UNK]` in training.
    pub token_dropout: f64,
    /// Steps from one look at the validation patients to the next; the best weights by it are kept. 0 = only at the
    /// end.
    pub validate_every: u64,
    /// Seed of weights, sampling and augmentation.
    pub seed: u64,
    /// Memory for decoded films at the training resolution, or for the outputs of frozen layers, in MB.
    pub cache_mb: usize,
    /// Threads that decode and augment; 0 = one per core.
    pub loader_threads: usize,
    /// Random changes of the films: a table, or `none`, `published` (the paper's) or `default`.
    #[serde(deserialize_with = "table_or_name")]
    pub augmentation: Augmentation,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            image_batch: 32,
            text_batch: 32,
            micro_batch: 0,
            learning_rate: 5e-4,
            weight_decay: 0.05,
            warmup: 0.1,
            clip_norm: 1.0,
            ema_decay: 0.0,
            objective: Objective::SemanticMatching,
            matching_weight: 1.0,
            label_temperature: 0.3,
            signed_labels: true,
            denial_weight: 0.0,
            label_count: 0,
            pair_blending: 0.0,
            hard_negatives: 0.0,
            patient_aware: false,
            flip: 0.0,
            auxiliary_weight: 0.5,
            question_weight: 0.0,
            balance: 0.5,
            frozen: 0,
            frozen_views: 8,
            frozen_text_layers: 0,
            drop_path: 0.0,
            token_dropout: 0.0,
            validate_every: 200,
            seed: 0,
            cache_mb: 2048,
            loader_threads: 0,
            augmentation: Augmentation::default(),
        }
    }
}

impl Training {
    /// The paper's recipe (section 3.3 and 4.1): targets at temperature 1 from 0/1 labels of the 14 findings, even sampling, half
    /// of the films flipped, its augmentation, and none of what was added since.
    pub fn faithful(mut self) -> Self {
        self.objective = Objective::SemanticMatching;
        self.matching_weight = 1.0;
        self.label_temperature = 1.0;
        self.signed_labels = false;
        self.denial_weight = 0.0;
        self.label_count = 14;
        self.auxiliary_weight = 0.0;
        self.question_weight = 0.0;
        self.balance = 0.0;
        self.pair_blending = 0.0;
        self.hard_negatives = 0.0;
        self.patient_aware = false;
        self.flip = 0.5;
        self.augmentation = Augmentation::published();
        self.ema_decay = 0.0;
        self.drop_path = 0.0;
        self.token_dropout = 0.0;
        self
    }

    /// Whether batches need texts that belong to their films.
    pub fn wants_pairs(&self) -> bool {
        self.objective == Objective::InfoNce || self.pair_blending > 0.0
    }
}
