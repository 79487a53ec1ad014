//! The functions of Prometheus 3: which there are, and which gonogo evaluates.

use super::eval::{calendar, math, over_time, rate};
use super::eval::{calendar::Civil, window::Window};

/// What a function does; the variants group those that are driven the same way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    /// A number for a number; the metric name goes.
    Map(fn(f64) -> f64),
    /// A number for the samples of a range, if there are enough; the metric name goes.
    Over(fn(&Window<'_>) -> Option<f64>),
    /// A number for any samples of a range; the metric name goes.
    Each(fn(&Window<'_>) -> f64),
    /// Of a time in UTC; without an argument the moment of evaluation.
    Date(fn(&Civil) -> f64),
    Absent,
    AbsentOverTime,
    Clamp,
    ClampMax,
    ClampMin,
    HistogramFraction,
    HistogramQuantile,
    LabelJoin,
    LabelReplace,
    /// Keeps the metric name.
    LastOverTime,
    Pi,
    Round,
    Scalar,
    Sort,
    SortDesc,
    Time,
    Timestamp,
    Vector,
    /// Only a server evaluates it, for this reason.
    Foreign(Foreign),
}

/// Why gonogo does not evaluate a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Foreign {
    /// It works on native histograms, which a text exposition does not carry.
    NativeHistogram,
    /// Prometheus itself calls it experimental and refuses it unless asked to.
    Experimental,
}

impl Foreign {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::NativeHistogram => {
                "it works on native histograms, which a metrics endpoint's text does not carry"
            }
            Self::Experimental => "it is experimental in Prometheus",
        }
    }
}

use Function::{Date, Each, Foreign as Only, Map, Over};

/// All functions by name, sorted.
const FUNCTIONS: [(&str, Function); 86] = [
    ("abs", Map(f64::abs)),
    ("absent", Function::Absent),
    ("absent_over_time", Function::AbsentOverTime),
    ("acos", Map(f64::acos)),
    ("acosh", Map(f64::acosh)),
    ("asin", Map(f64::asin)),
    ("asinh", Map(f64::asinh)),
    ("atan", Map(f64::atan)),
    ("atanh", Map(f64::atanh)),
    ("avg_over_time", Each(over_time::avg)),
    ("ceil", Map(f64::ceil)),
    ("changes", Each(rate::changes)),
    ("clamp", Function::Clamp),
    ("clamp_max", Function::ClampMax),
    ("clamp_min", Function::ClampMin),
    ("cos", Map(f64::cos)),
    ("cosh", Map(f64::cosh)),
    ("count_over_time", Each(over_time::count)),
    ("day_of_month", Date(calendar::day_of_month)),
    ("day_of_week", Date(calendar::day_of_week)),
    ("day_of_year", Date(calendar::day_of_year)),
    ("days_in_month", Date(calendar::days_in_month)),
    ("deg", Map(math::deg)),
    ("delta", Over(rate::delta)),
    ("deriv", Over(rate::deriv)),
    ("double_exponential_smoothing", Only(Foreign::Experimental)),
    ("end", Only(Foreign::Experimental)),
    ("exp", Map(f64::exp)),
    ("first_over_time", Only(Foreign::Experimental)),
    ("floor", Map(f64::floor)),
    ("histogram_avg", Only(Foreign::NativeHistogram)),
    ("histogram_count", Only(Foreign::NativeHistogram)),
    ("histogram_fraction", Function::HistogramFraction),
    ("histogram_quantile", Function::HistogramQuantile),
    ("histogram_quantiles", Only(Foreign::Experimental)),
    ("histogram_stddev", Only(Foreign::NativeHistogram)),
    ("histogram_stdvar", Only(Foreign::NativeHistogram)),
    ("histogram_sum", Only(Foreign::NativeHistogram)),
    ("hour", Date(calendar::hour)),
    ("idelta", Over(rate::idelta)),
    ("increase", Over(rate::increase)),
    ("info", Only(Foreign::Experimental)),
    ("irate", Over(rate::irate)),
    ("label_join", Function::LabelJoin),
    ("label_replace", Function::LabelReplace),
    ("last_over_time", Function::LastOverTime),
    ("ln", Map(f64::ln)),
    ("log10", Map(f64::log10)),
    ("log2", Map(f64::log2)),
    ("mad_over_time", Only(Foreign::Experimental)),
    ("max_over_time", Each(over_time::max)),
    ("min_over_time", Each(over_time::min)),
    ("minute", Date(calendar::minute)),
    ("month", Date(calendar::month)),
    ("pi", Function::Pi),
    ("predict_linear", Over(rate::predict_linear)),
    ("present_over_time", Each(over_time::present)),
    ("quantile_over_time", Each(over_time::quantile)),
    ("rad", Map(math::rad)),
    ("range", Only(Foreign::Experimental)),
    ("rate", Over(rate::rate)),
    ("resets", Each(rate::resets)),
    ("round", Function::Round),
    ("scalar", Function::Scalar),
    ("sgn", Map(math::sgn)),
    ("sin", Map(f64::sin)),
    ("sinh", Map(f64::sinh)),
    ("sort", Function::Sort),
    ("sort_by_label", Only(Foreign::Experimental)),
    ("sort_by_label_desc", Only(Foreign::Experimental)),
    ("sort_desc", Function::SortDesc),
    ("sqrt", Map(f64::sqrt)),
    ("start", Only(Foreign::Experimental)),
    ("stddev_over_time", Each(over_time::stddev)),
    ("stdvar_over_time", Each(over_time::stdvar)),
    ("sum_over_time", Each(over_time::sum)),
    ("tan", Map(f64::tan)),
    ("tanh", Map(f64::tanh)),
    ("time", Function::Time),
    ("timestamp", Function::Timestamp),
    ("ts_of_first_over_time", Only(Foreign::Experimental)),
    ("ts_of_last_over_time", Only(Foreign::Experimental)),
    ("ts_of_max_over_time", Only(Foreign::Experimental)),
    ("ts_of_min_over_time", Only(Foreign::Experimental)),
    ("vector", Function::Vector),
    ("year", Date(calendar::year)),
];

const AGGREGATIONS: [&str; 14] = [
    "sum",
    "avg",
    "min",
    "max",
    "count",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "quantile",
    "count_values",
    "limitk",
    "limit_ratio",
];

/// A function by its exact name.
pub(super) fn find(name: &str) -> Option<Function> {
    let at = FUNCTIONS.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    FUNCTIONS.get(at).map(|(_, function)| *function)
}

/// Whether a name in small letters is an aggregation.
pub(super) fn is_aggregation(name: &str) -> bool {
    AGGREGATIONS.contains(&name)
}

/// The function or aggregation whose name is most like this one, where one is near enough to have
/// been meant.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    FUNCTIONS
        .iter()
        .map(|(known, _)| *known)
        .chain(AGGREGATIONS)
        .map(|known| (strsim::damerau_levenshtein(&lower, known), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 5)
        .min()
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_by_name_and_a_typo_finds_the_one_meant() {
        assert!(FUNCTIONS.is_sorted_by_key(|(name, _)| *name));
        assert!(FUNCTIONS.iter().all(|(name, _)| find(name).is_some()));
        assert!(find("Rate").is_none() && find("step").is_none());
        assert_eq!(nearest("raet"), Some("rate"));
        assert_eq!(nearest("histogram_quantil"), Some("histogram_quantile"));
        assert_eq!(nearest("xyzzy"), None);
    }
}
