//! "Did you mean …?"

/// The candidate nearest to what was written, when one is near enough to be a slip of the pen.
pub(super) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (written.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(written, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A list for a sentence: "`a`, `b` and `c`".
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match &names[..] {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}

/// "Did you mean `x`?", or which there are.
pub(super) fn hint(written: &str, candidates: &[&str]) -> String {
    match nearest(written, candidates.iter().copied()) {
        Some(candidate) => format!("Did you mean `{candidate}`?"),
        None if candidates.is_empty() => "There are none.".to_owned(),
        None => format!("There are {}.", listed(candidates.iter().copied())),
    }
}

/// Edit distance in which swapping two neighbours is one step; letter case counts for nothing.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().flat_map(char::to_lowercase).collect();
    let right: Vec<char> = right.chars().flat_map(char::to_lowercase).collect();
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    for (index, row) in rows.iter_mut().enumerate() {
        row[0] = index;
    }
    for (index, cell) in rows[0].iter_mut().enumerate() {
        *cell = index;
    }
    for i in 1..=left.len() {
        for j in 1..=right.len() {
            let same = left[i - 1] == right[j - 1];
            let mut best = (rows[i - 1][j] + 1)
                .min(rows[i][j - 1] + 1)
                .min(rows[i - 1][j - 1] + usize::from(!same));
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        assert_eq!(nearest("stirng", ["string", "number"]), Some("string"));
        assert_eq!(nearest("mesages", ["messages", "channels"]), Some("messages"));
        assert_eq!(nearest("elephant", ["string", "number"]), None);
        assert_eq!(nearest("geopoint", ["geoPoint"]), Some("geoPoint"));
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(
            hint("x", &["alpha", "beta", "gamma"]),
            "There are `alpha`, `beta` and `gamma`."
        );
        assert_eq!(hint("x", &[]), "There are none.");
    }
}
