/** What the filter field understands, for its help. */

export const filterFields: { field: string; means: string; example: string }[] = [
  { field: "sex", means: "F or M", example: "sex:F" },
  { field: "age", means: "years; one, or a range", example: "age:40..60" },
  { field: "date", means: "year-month-day; one, or a range", example: "date:2015-01-01.." },
  { field: "view", means: "PA, AP or LATERAL", example: "view:PA" },
  { field: "source", means: "where it was imported from", example: "source:nih" },
  { field: "has", means: "image or report", example: "has:report" },
  { field: "finding", means: "stated as present", example: 'finding:"Pleural Effusion"' },
  { field: "left, right", means: "present on that side", example: 'left:"Pleural Effusion"' },
  { field: "absent", means: "stated as absent", example: "absent:Pneumothorax" },
  { field: "uncertain", means: "hedged in the report", example: "uncertain:Pneumonia" },
];
