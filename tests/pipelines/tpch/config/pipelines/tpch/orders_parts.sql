SELECT o_orderpriority, o_orderstatus, count(*) AS orders, sum(o_totalprice) AS total, min(o_orderdate) AS first_day, max(o_orderdate) AS last_day
FROM orders
GROUP BY ALL
