-- JSON becomes typed columns: a value is a number or a text.
SELECT sensor_id, seq, kind, TRY_CAST(value ->> '$' AS DOUBLE) AS value, value ->> '$' AS value_text, "timestamp"
FROM raw
