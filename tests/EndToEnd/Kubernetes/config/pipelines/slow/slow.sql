SELECT count(DISTINCT seq) AS readings, max(seq) AS last, (SELECT count(*) FROM range(2000000000) r(i) WHERE hash(i) % 7 = 9) AS nothing FROM raw
