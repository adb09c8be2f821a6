;; The dot product of a query of 16-bit numbers and a vector of 8-bit numbers, 8 numbers at a time.
;; The query starts at byte 0. Sums of whole numbers are the same on every processor.
(module
  (import "m" "m" (memory 0))
  ;; $at: first byte of the vector. $end: the byte after the query, a multiple of 16.
  (func (export "dot") (param $at i32) (param $end i32) (result i32)
    (local $query i32)
    (local $sums v128)
    (loop $next
      (local.set $sums
        (i32x4.add
          (local.get $sums)
          (i32x4.dot_i16x8_s
            (v128.load8x8_s (local.get $at))
            (v128.load (local.get $query)))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next
        (i32.lt_u
          (local.tee $query (i32.add (local.get $query) (i32.const 16)))
          (local.get $end))))
    (i32.add
      (i32.add
        (i32.add
          (i32x4.extract_lane 0 (local.get $sums))
          (i32x4.extract_lane 1 (local.get $sums)))
        (i32x4.extract_lane 2 (local.get $sums)))
      (i32x4.extract_lane 3 (local.get $sums)))))
