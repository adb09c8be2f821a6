;; CRC-32C with a table of 1 KB at byte 0, which the module fills when it starts. The caller writes the bytes after it.
(module
  (memory (export "memory") 1)
  ;; The table: the register after each byte, by division bit by bit.
  (func $fill
    (local $byte i32) (local $value i32) (local $bit i32)
    (loop $bytes
      (local.set $value (local.get $byte))
      (local.set $bit (i32.const 8))
      (loop $bits
        (local.set $value
          (i32.xor
            (i32.shr_u (local.get $value) (i32.const 1))
            (i32.and
              (i32.const 0x82f63b78)
              (i32.sub (i32.const 0) (i32.and (local.get $value) (i32.const 1))))))
        (br_if $bits (local.tee $bit (i32.sub (local.get $bit) (i32.const 1)))))
      (i32.store (i32.shl (local.get $byte) (i32.const 2)) (local.get $value))
      (br_if $bytes
        (i32.lt_u (local.tee $byte (i32.add (local.get $byte) (i32.const 1))) (i32.const 256)))))
  (start $fill)
  ;; $crc: the register so far. $at, $end: the first byte, and the byte after the last; there must be one.
  (func (export "update") (param $crc i32) (param $at i32) (param $end i32) (result i32)
    (loop $next
      (local.set $crc
        (i32.xor
          (i32.shr_u (local.get $crc) (i32.const 8))
          (i32.load
            (i32.shl
              (i32.and
                (i32.xor (local.get $crc) (i32.load8_u (local.get $at)))
                (i32.const 255))
              (i32.const 2)))))
      (br_if $next
        (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $end))))
    (local.get $crc)))
