//! Marker codes (T.81 table B.1), by the second byte.

#![allow(missing_docs)] // the names are the table's own

pub const TEM: u8 = 0x01;
pub const SOF0: u8 = 0xc0;
pub const SOF1: u8 = 0xc1;
pub const SOF2: u8 = 0xc2;
pub const DHT: u8 = 0xc4;
pub const JPG: u8 = 0xc8;
pub const SOF9: u8 = 0xc9;
pub const SOF10: u8 = 0xca;
pub const DAC: u8 = 0xcc;
pub const SOF15: u8 = 0xcf;
pub const RST0: u8 = 0xd0;
pub const RST7: u8 = 0xd7;
pub const SOI: u8 = 0xd8;
pub const EOI: u8 = 0xd9;
pub const SOS: u8 = 0xda;
pub const DQT: u8 = 0xdb;
pub const DNL: u8 = 0xdc;
pub const DRI: u8 = 0xdd;
pub const DHP: u8 = 0xde;
pub const EXP: u8 = 0xdf;
pub const APP0: u8 = 0xe0;
pub const APP1: u8 = 0xe1;
pub const APP2: u8 = 0xe2;
pub const APP14: u8 = 0xee;
pub const APP15: u8 = 0xef;
pub const SOF55: u8 = 0xf7;
pub const COM: u8 = 0xfe;
