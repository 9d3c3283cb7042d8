# Counts for tests/coverage: reads every source file, for what is a test in it, then the lines that LLVM counted (lcov).
# Prints the table, or with `missed` the lines that were not reached, of files whose path has `part` in it.
function flush() {
  if (from) spans = spans " " (from == to ? from : from "-" to)
  from = 0
}
FNR == 1 { pending = inside = 0 }

FILENAME !~ /lcov.info$/ {
  if (inside) {
    tests[FILENAME, FNR]
    if (/^}/) inside = 0
  } else if (/^#\[cfg\(test\)\]/) {
    pending = 1
    path = ""
  } else if (pending && /^#\[path/) {
    split($0, quoted, "\"")
    path = quoted[2]
  } else if (pending && match($0, /mod [a-z_]+;/)) {
    # A file of its own, and what is below it.
    name = substr($0, RSTART + 4, RLENGTH - 5)
    home = FILENAME
    if (path != "" || home ~ /\/(mod|lib|main)\.rs$/) sub(/\/[^\/]*$/, "", home)
    else sub(/\.rs$/, "", home)
    if (path != "") { name = path; sub(/\.rs$/, "", name) }
    whole[home "/" name]
    pending = 0
  } else if (pending && !/^#/) {
    tests[FILENAME, FNR]
    pending = 0
    inside = /{$/
  }
  next
}

/^SF:/ {
  file = substr($0, 4)
  sub(root, "", file)
  crate = file
  counts = sub(/\/src\/.*/, "", crate)
  for (w in whole) if (index(file, w ".rs") == 1 || index(file, w "/") == 1) counts = 0
  of = without = from = 0
  spans = ""
}
/^DA:/ && counts {
  split(substr($0, 4), line, ",")
  if ((file, line[1]) in tests) next
  of++
  if (line[2] > 0) { flush(); next }
  without++
  if (!from) from = line[1]
  to = line[1]
}
/^end_of_record/ && counts {
  flush()
  lines[crate] += of
  covered[crate] += of - without
  if (missed && without && index(file, part)) printf "%s: %d of %d:%s\n", file, without, of, spans
}

END {
  if (missed) exit
  print "| crate | lines | covered | % | bound |"
  print "| --- | ---: | ---: | ---: | ---: |"
  n = split("shared/domain shared/aws functions/on-merge functions/on-deploy functions/on-alert functions/on-schedule functions/on-page functions/on-request infra/local infra/backtest infra/replay", order, " ")
  for (i = 1; i <= n; i++) {
    crate = order[i]
    bound = crate == "shared/domain" ? 95 : 85
    share = lines[crate] ? 100 * covered[crate] / lines[crate] : 0
    printf "| `%s` | %d | %d | %.1f | %d |\n", crate, lines[crate], covered[crate], share, bound
    if (share < bound) under = under " " crate
    all += lines[crate]
    reached += covered[crate]
    delete lines[crate]
  }
  printf "| all | %d | %d | %.1f | |\n", all, reached, all ? 100 * reached / all : 0
  for (crate in lines) { print "coverage: no bound for " crate; failed = 1 }
  if (under) { print "coverage: under the bound:" under; failed = 1 }
  exit failed
}
