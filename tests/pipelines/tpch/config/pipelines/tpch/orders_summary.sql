SELECT
  o_orderpriority,
  o_orderstatus,
  CAST(sum(orders) AS BIGINT) AS orders,
  sum(total) AS total,
  min(first_day) AS first_day,
  max(last_day) AS last_day
FROM parts
GROUP BY ALL
