//! Age, sex, view, date and number as archives write them.

use super::study::{Sex, View};

/// No age above this is believed: NIH has some of more than 400 years.
const MAX_AGE: f32 = 120.0;

/// Age in years from `57`, `57.0`, `90+`, or an age string of DICOM (PS3.5, 6.2, `AS`): `057Y`, `018M`, `003W`, `002D`.
///
/// Empty is `None`.
///
/// # Errors
/// Completes the sentence "column ... ": not an age, or none of a human being.
pub(super) fn age(text: &str) -> Result<Option<f32>, &'static str> {
    const WRONG: &str = "is not an age in years, 0 to 120";
    let text = text.trim().trim_end_matches('+');
    if text.is_empty() {
        return Ok(None);
    }
    let (number, per_year) = match text.char_indices().last() {
        Some((at, 'Y' | 'y')) => (&text[..at], 1.0),
        Some((at, 'M' | 'm')) => (&text[..at], 12.0),
        Some((at, 'W' | 'w')) => (&text[..at], 52.18),
        Some((at, 'D' | 'd')) => (&text[..at], 365.25),
        _ => (text, 1.0),
    };
    let years = number.trim().parse::<f32>().map_err(|_| WRONG)? / per_year;
    if (0.0..=MAX_AGE).contains(&years) { Ok(Some(years)) } else { Err(WRONG) }
}

/// `M`, `male`, `F`, `female` in any case; all else is not known.
pub(super) fn sex(text: &str) -> Option<Sex> {
    match text.trim().to_ascii_lowercase().as_str() {
        "m" | "male" => Some(Sex::Male),
        "f" | "female" => Some(Sex::Female),
        _ => None,
    }
}

/// `PA`, `AP`, `AP Supine`, `L`, `lateral`, `LL`, ... in any case; all else, and what names two, is not known.
pub(super) fn view(text: &str) -> Option<View> {
    let lower = text.to_lowercase();
    let mut found = None;
    for word in lower.split(|c: char| !c.is_alphanumeric()) {
        let view = match word {
            "pa" | "posteroanterior" => View::Pa,
            "ap" | "anteroposterior" => View::Ap,
            "l" | "ll" | "rl" | "lat" | "lateral" => View::Lateral,
            _ => continue,
        };
        if found.is_some_and(|other| other != view) {
            return None;
        }
        found = Some(view);
    }
    found
}

/// A whole number from `3`, `-3` or `3.0`. Empty is `None`.
///
/// # Errors
/// Completes the sentence "column ... ".
pub(super) fn number(text: &str) -> Result<Option<i32>, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let plain = text.strip_suffix(".0").unwrap_or(text);
    plain.parse().map(Some).map_err(|_| "is not a whole number")
}

/// A date as `YYYY-MM-DD`, from that, `YYYY/MM/DD`, `YYYYMMDD`, `March 5, 2020`, `Mar 5, 2020` or `5 March 2020`.
///
/// A year or month alone is no date. Order of numbers that only a country knows (`3/4/2020`) is not guessed.
pub(super) fn date(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        return day(&text[..4], &text[4..6], &text[6..]);
    }
    // A time may follow: 2020-03-05T10:00, 2020-03-05 10:00:00.
    let head = text.split(['T', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = head.split(['-', '/']).collect();
    if let [year, month, of_month] = parts.as_slice()
        && year.len() == 4
    {
        return day(year, month, of_month);
    }
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let [first, second, year] = words.as_slice() else { return None };
    match (month_number(first), month_number(second)) {
        (Some(month), None) => day(year, month, second),
        (None, Some(month)) => day(year, month, first),
        _ => None,
    }
}

/// As [`date`], and `M/D/YYYY` or `M/D/YY` as the United States write it.
pub(super) fn us_date(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.trim().split('/').collect();
    match parts.as_slice() {
        [month, of_month, year] if year.len() == 2 => day(&format!("20{year}"), month, of_month),
        [month, of_month, year] if year.len() == 4 => day(year, month, of_month),
        _ => date(text),
    }
}

fn month_number(word: &str) -> Option<&'static str> {
    const MONTHS: [(&str, &str); 12] = [
        ("january", "1"),
        ("february", "2"),
        ("march", "3"),
        ("april", "4"),
        ("may", "5"),
        ("june", "6"),
        ("july", "7"),
        ("august", "8"),
        ("september", "9"),
        ("october", "10"),
        ("november", "11"),
        ("december", "12"),
    ];
    let word = word.trim_end_matches('.').to_ascii_lowercase();
    MONTHS.iter().find(|(name, _)| word.len() >= 3 && name.starts_with(&word)).map(|(_, number)| *number)
}

/// A day of the calendar, or `None` where there is no such day.
fn day(year: &str, month: &str, of_month: &str) -> Option<String> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
    let (year, month, of_month) = (digits(year)?, digits(month)?, digits(of_month)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    // Dates shifted to hide the patient lie in the future: MIMIC's run to 2212.
    ((1890..=2300).contains(&year) && (1..=days).contains(&of_month))
        .then(|| format!("{year:04}-{month:02}-{of_month:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        assert_eq!(age("57"), Ok(Some(57.0)));
        assert_eq!(age(" 057Y"), Ok(Some(57.0)));
        assert_eq!(age("018M"), Ok(Some(1.5)));
        assert_eq!(age("90+"), Ok(Some(90.0)));
        assert_eq!(age(""), Ok(None));
        for wrong in ["414", "-1", "old", "NaN", "inf", "Y", "é"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn views() {
        assert_eq!(view("PA"), Some(View::Pa));
        assert_eq!(view("AP Supine"), Some(View::Ap));
        assert_eq!(view("AP semi erect"), Some(View::Ap));
        assert_eq!(view("L"), Some(View::Lateral));
        assert_eq!(view("left lateral"), Some(View::Lateral));
        for unknown in ["", "?", "Axial", "PA and lateral", "oblique"] {
            assert_eq!(view(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(number("-3.0"), Ok(Some(-3)));
        assert_eq!(number(" 12 "), Ok(Some(12)));
        assert_eq!(number(""), Ok(None));
        assert!(number("?").is_err());
        assert!(number("3.5").is_err());
    }

    #[test]
    fn dates() {
        for text in
            ["2020-03-05", "2020/3/5", "20200305", "March 5, 2020", "Mar 5, 2020", "5 Mar. 2020", "2020-03-05 10:00"]
        {
            assert_eq!(date(text).as_deref(), Some("2020-03-05"), "{text}");
        }
        for text in
            ["", "2020", "March 2020", "3/5/2020", "2021-02-29", "2020-13-01", "March 0, 2020", "٣ March 2020", "?"]
        {
            assert_eq!(date(text), None, "{text}");
        }
        assert_eq!(date("2020-02-29").as_deref(), Some("2020-02-29"));
        assert_eq!(us_date("2/29/2020").as_deref(), Some("2020-02-29"));
        assert_eq!(us_date("11/27/19").as_deref(), Some("2019-11-27"));
        assert_eq!(us_date("27/11/19"), None);
    }
}
