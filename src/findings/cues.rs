//! Cues: words that negate, doubt, or set a mention aside, and words that end their reach.
//!
//! After NegEx (Chapman et al., J Biomed Inform 2001) and ConText (Harkema et al., J Biomed Inform 2009), with the phrases of chest radiography.

use std::sync::LazyLock;

use super::pattern::Patterns;

/// What a cue does, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cue {
    /// What follows is absent: "no evidence of".
    Negates,
    /// What precedes is absent: "has resolved".
    Negated,
    /// What follows directly is absent, otherwise what precedes: "resolved effusion", "effusion resolved".
    Resolved,
    /// The noun phrase that follows is uncertain: "possible".
    Doubts,
    /// All that follows is uncertain: "may represent".
    Suggests,
    /// The same for each item of the list that follows, through "and": "differential considerations include".
    Lists,
    /// What precedes is uncertain: "cannot be excluded".
    Doubted,
    /// What follows is uncertain, and where nothing follows, what precedes: "cannot exclude an effusion", "effusion difficult to exclude".
    Open,
    /// The same for the noun phrase that follows: "suspected effusion", "effusion suspected".
    Guessed,
    /// The mentions on both sides are uncertain: "versus".
    Versus,
    /// The same where both sides are mentions and nothing negates them: "or".
    Or,
    /// What follows isn't said of this film: "history of", "to exclude".
    Aside,
    /// The same to the end of the sentence: "if there is pain, suspect a fracture".
    If,
    /// What precedes isn't said of this film: "may not be demonstrated".
    Moot,
    /// Ends the reach of the cues before it: "but", "there is".
    Turn,
    /// Looks like a cue and is none: "no change in".
    Quiet,
}

/// Cues of reports and queries.
pub(crate) static CUES: LazyLock<Patterns<Cue>> = LazyLock::new(|| Patterns::new(TABLE.iter().copied()));

/// Cues of queries in addition.
pub(crate) static QUERY_CUES: LazyLock<Patterns<Cue>> =
    LazyLock::new(|| Patterns::new(QUERY.iter().chain(TABLE).copied()));

const QUERY: &[(&str, Cue)] =
    &[("not|minus|never|non|nothing|none|excluding|exclude", Cue::Negates), ("but not", Cue::Negates)];

#[rustfmt::skip] // one cue a line
const TABLE: &[(&str, Cue)] = &[
    // Forward negation
    ("no|without", Cue::Negates),
    ("no|without ..2 evidence|sign|signs|suggestion|indication|findings|features of|for|to?", Cue::Negates),
    ("negative|neg for", Cue::Negates),
    ("free|clear|devoid|cleared of|from", Cue::Negates),
    ("absence|lack|resolution|removal|clearing|disappearance of", Cue::Negates),
    ("interval resolution|removal|clearing of", Cue::Negates),
    ("not|never ..2 demonstrate|demonstrates|demonstrating|show|shows|showing|reveal|reveals|have|contain|see|identify|visualize|appreciate|suggest|indicate|represent", Cue::Negates),
    ("not ..1 suggestive|consistent|compatible|typical of|with|for", Cue::Negates),
    ("neither|nor|denies", Cue::Negates),
    ("rather than", Cue::Negates),
    ("instead of", Cue::Negates),
    ("not a|an|the", Cue::Negates),
    ("never a|an|any", Cue::Negates),
    ("fail|fails|failed to ..1 reveal|show|demonstrate|identify", Cue::Negates),
    ("nothing to? suggest|suggesting|indicate|suggestive of?", Cue::Negates),
    ("is|are|was|were ..1 negative for", Cue::Negates),
    ("not ..1 appear|appears|seem|seems|look|felt|believed|thought to? be|represent|have|show", Cue::Negates),
    ("no|without ..2 interstitial|alveolar|inflammatory|fibrotic|congestive|acute|chronic|typical|definite|radiographic changes|change of|to", Cue::Negates),
    ("excludes|excluded", Cue::Negates),
    ("resolved|absent", Cue::Resolved),
    ("no longer", Cue::Resolved),

    // Backward negation
    ("not ..3 seen|identified|visualized|visualised|evident|apparent|appreciated|present|demonstrated|noted|detected|found|observed|shown", Cue::Negated),
    ("no longer ..2 seen|identified|visualized|evident|apparent|appreciated|present|demonstrated|noted|visible", Cue::Negated),
    ("not visible", Cue::Negated),
    ("has|have|had|is|are|was|been ..3 resolved|cleared|disappeared|removed|withdrawn|discontinued|excluded", Cue::Negated),
    ("is|are|was|were ..1 absent|negative", Cue::Negated),
    ("none", Cue::Negated),
    ("none ..1 seen|identified|present|evident|visible", Cue::Negated),
    ("none of", Cue::Quiet),
    ("negative", Cue::Negated),
    ("is|are|was|were|been ..1 ruled out", Cue::Negated),
    ("is|are|seems|appears|felt ..2 unlikely", Cue::Negated),
    ("unlikely", Cue::Negated),
    ("not ..1 suspected", Cue::Negated),
    ("removed", Cue::Negated),
    ("is|are|has|have ..2 gone", Cue::Negated),

    // Forward doubt
    ("possible|possibly|probable|probably|questionable|suspect|equivocal|presumed|perhaps|question|potential|likely|apparent", Cue::Doubts),
    ("may|might|could|would ..3 represent|reflect|be|indicate|suggest|relate|related", Cue::Suggests),
    ("may|might|could", Cue::Suggests),
    ("may|might|could|possibly|probably|presumably ..3 due|secondary|related|attributable|attributed to", Cue::Suggests),
    ("likely|presumably|perhaps ..2 due|secondary|related to", Cue::Suggests),
    ("suspicious|concerning|worrisome|suspicion|concern|question for|of", Cue::Suggests),
    ("concern|suspicion is|remains|exists for|of", Cue::Suggests),
    ("suggestive|suggesting|suggests|suggest|suggestion", Cue::Suggests),
    ("raises|raise|raising ..3 question|possibility|concern", Cue::Suggests),
    ("cannot|can ..2 exclude|excluded", Cue::Open),
    ("not ..2 exclude|excluding", Cue::Open),
    ("difficult|hard|unable|impossible to ..2 exclude", Cue::Open),
    ("cannot|can not? ..2 rule out", Cue::Open),
    ("differential ..3 includes|include|including|diagnosis|considerations|of", Cue::Lists),
    ("differential ..1 diagnosis|considerations ..3 include|includes|including", Cue::Lists),
    ("considerations|possibilities|etiologies ..3 include|includes|including|are", Cue::Lists),
    ("consider|considerations|considered|consideration", Cue::Suggests),
    ("low|small? possibility|question|likelihood|probability of|for", Cue::Suggests),
    ("is|are ..1 favored|favoured to|as", Cue::Suggests),
    ("favor|favors|favored|favour|favoring", Cue::Suggests),
    ("likely ..2 represent*|reflect*|due|related|secondary", Cue::Suggests),
    ("borderline|equivocal", Cue::Doubts),
    ("has|have|having|gives|giving ..2 appearance of", Cue::Suggests),

    // Backward doubt
    ("cannot|can ..3 be|entirely|completely ..2 excluded", Cue::Doubted),
    ("not ..2 excluded", Cue::Doubted),
    ("is|are|was|were|has|have|be not ..2 excluded", Cue::Doubted),
    ("cannot be ..2 ruled out", Cue::Doubted),
    ("is|are ..2 possible|suspected|questioned|questionable|likely|probable|considered", Cue::Doubted),
    ("is|are ..2 a? consideration|possibility|concern", Cue::Doubted),
    ("is|are ..1 favored|favoured", Cue::Doubted),
    ("may|might|could|would ..1 be ..1 present|there", Cue::Doubted),
    ("may|might|could exist|persist|coexist", Cue::Doubted),
    ("suspected|questioned", Cue::Guessed),
    ("is|are|remains|remain|be ..2 in|within|on ..1 differential", Cue::Doubted),
    ("would|could|may|might be a? ..1 consideration|possibility|concern", Cue::Doubted),

    // Both ways
    ("versus|vs", Cue::Versus),
    ("is|are? favored|favoured|preferred over", Cue::Versus),
    ("or", Cue::Or),

    // Not said of this film
    ("history|hx of", Cue::Aside),
    ("known|prior|clinical history", Cue::Aside),
    ("status post", Cue::Aside),
    ("evaluate|evaluation|assess|assessment|screening|screen|looking|check|query ..1 for", Cue::Aside),
    ("evaluation|assessment of", Cue::Aside),
    ("to ..1 exclude|evaluate|assess|identify|confirm|document|detect", Cue::Aside),
    ("exclude", Cue::Aside),
    ("rule out", Cue::Aside),
    ("correlate|correlation|correlated ..2 for", Cue::Aside),
    ("may|might|could|can|would ..2 obscure|hide|mask|mimic|simulate|limit", Cue::Aside),
    ("treatment|therapy of|for", Cue::Aside),
    ("note that", Cue::Aside),
    ("ro|sp|ho", Cue::Aside),
    ("cw", Cue::Quiet),
    ("risk for|of", Cue::Aside),
    ("if", Cue::If),
    ("if there is|are", Cue::If),
    ("if there is|are ..4 concern|suspicion for|of", Cue::If),
    ("if ..4 concern|suspicion|question for|of", Cue::If),
    ("determine|see if|whether there? is|are? any?", Cue::Aside),
    ("sensitive ..2 for|detecting|detection|in|to", Cue::Aside),
    ("indication|reason for", Cue::Aside),
    ("compared|comparison to|with", Cue::Quiet),
    ("resolution|resolving of? prior", Cue::Quiet),
    ("may|might|could not ..2 seen|demonstrated|visible|visualized|apparent|evident|detected|identified|appreciated|shown", Cue::Moot),

    // Ends
    ("but|however|although|though|except|excepting|whereas|while|yet|nevertheless|which|with|despite|otherwise|until|because|since|where", Cue::Turn),
    ("aside|apart from", Cue::Turn),
    ("other than", Cue::Turn),
    ("there is|are|was|were|has|have|continues|remains|appears", Cue::Turn),
    ("secondary|due|related to", Cue::Turn),
    ("superimposed on", Cue::Turn),
    ("in ..1 setting|presence of", Cue::Turn),
    ("in view of", Cue::Turn),

    // Pseudo cues
    ("no ..3 change|changes|increase|decrease|progression|worsening|improvement", Cue::Quiet),
    ("no ..2 change|changes|increase|decrease ..2 in|of|from|to|since|with", Cue::Quiet),
    ("no ..2 resolution|clearing", Cue::Quiet),
    ("without ..2 change|changes|increase|progression", Cue::Quiet),
    ("not ..1 significantly? changed|increased|decreased|resolved", Cue::Quiet),
    ("not ..1 changed", Cue::Quiet),
    ("not only|necessarily", Cue::Quiet),
    ("not ..3 seen|present|identified|visualized|evident|appreciated|noted|apparent|demonstrated ..2 on|in|at|from ..3 prior|previous|comparison|earlier|lateral|frontal|old", Cue::Quiet),
    ("not ..1 well|optimally|completely|fully ..1 seen|identified|visualized|evaluated|appreciated|demonstrated|characterized", Cue::Quiet),
    ("not ..2 previously", Cue::Quiet),
    ("not ..2 calcified|acute|displaced", Cue::Quiet),
    ("no doubt", Cue::Quiet),
    ("without doubt", Cue::Quiet),
    ("not completely|entirely|fully resolved|cleared", Cue::Quiet),
    ("no acute ..1 displaced", Cue::Negates),
    ("has|have|is|are not ..2 resolved|cleared|removed", Cue::Quiet),
    ("partially|partly|nearly|almost|largely|incompletely|mostly|partial|near|incomplete ..1 resolved|cleared|resolution|clearing", Cue::Quiet),
    ("resolving|improving|improved|decreasing|decreased", Cue::Quiet),
    ("as well as", Cue::Quiet),
    ("with or without", Cue::Quiet),
    ("consistent|compatible|associated|keeping|line with", Cue::Quiet),
    ("no prior|previous|old|comparison|comparisons|priors", Cue::Quiet),
    ("would be ..2 helpful|useful|beneficial", Cue::Quiet),
    ("may be ..2 helpful|useful|warranted|obtained|considered|beneficial|appropriate", Cue::Quiet),
];
